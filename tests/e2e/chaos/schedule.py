"""What happens in one run, drawn from its seed."""

import dataclasses
import random

# Longer than a lease with its grace.
HALT_SECONDS = 2.5
LEASE_SECONDS = 1.0
GRACE_SECONDS = 1.0

_HALT = f'delay={int(1000 * HALT_SECONDS)}'
_ERRORS = ('error=EIO', 'error=ENOSPC')
# Point → the actions that prove something there, and how often the point is reached in a run, roughly: the time is
# drawn from 1 to that.
SERVER_POINTS = {
    'store.before_commit': (('crash', 'error=EIO'), 40),
    'store.after_commit': (('crash',), 60),
    'blob.write': (_ERRORS, 12),
    'blob.fsync': (_ERRORS, 12),
    'blob.before_publish': (('crash',), 20),
    'blob.before_rename': (('crash', *_ERRORS), 10),
    'blob.before_row': (('crash',), 20),
    'blob.read': (('error=EIO',), 5),
    'upload.message': (('crash', 'stop'), 12),
    'lease.answer': (('crash', 'stop', _HALT), 8),
    'completion.received': (('crash', 'stop', _HALT), 8),
    'completion.answer': (('crash', 'stop', _HALT), 8),
    'failure.received': (('crash',), 1),
    'heartbeat.received': (('crash', 'stop', _HALT), 4),
    'server.opened': (('crash',), 1),
    'server.listening': (('crash',), 1),
}
AGENT_POINTS = {
    'agent.registered': (('crash', 'stop'), 1),
    'agent.leased': (('crash', 'stop'), 5),
    'agent.fetch': (_ERRORS, 5),
    'agent.child_start': (('error=EIO',), 3),
    'agent.executed': (('crash', 'stop'), 5),
    'agent.before_upload': (('crash', *_ERRORS), 5),
    'agent.uploaded': (('crash', 'stop'), 5),
    'agent.before_report': (('crash', 'stop', _HALT), 5),
    'agent.reported': (('crash',), 5),
    'agent.heartbeat': (('stop', _HALT), 8),
    'transfer.chunk': (('crash', 'stop'), 10),
    'transfer.read': (('error=EIO',), 8),
    'transfer.write': (_ERRORS, 8),
    'transfer.before_move': (('crash',), 5),
}
# With a probability: a child is started anew after a crash, and would crash at a count again and again.
CHILD_POINTS = {
    'child.start': ('crash', 0.3),
    'child.task': ('crash', 0.1),
    'child.progress': ('crash', 0.05),
    'child.executed': ('crash', 0.1),
}
# From outside: (what, to whom).
BLOWS = (('kill', 'server'), ('kill', 'agent'), ('kill', 'child'), ('stop', 'server'), ('stop', 'agent'),
         ('stop', 'child'), ('cut', 'network'))


@dataclasses.dataclass
class Schedule:
    server: list   # failpoints of its lives, the first ones; later lives have none
    agents: list   # likewise for each agent
    blows: list    # (second, what, to whom, which agent)

    def __str__(self):
        lines = [f'  server: {life}' for life in self.server]
        lines += [f'  agent {number}: {life}' for number, lives in enumerate(self.agents) for life in lives]
        lines += [f'  at {second:.2f} s: {what} {whom}' + (f' {agent}' if whom in ('agent', 'child') else '')
                  for second, what, whom, agent in self.blows]
        return '\n'.join(lines)


def _entry(rng, points, name=''):
    name = name or rng.choice(sorted(points))
    actions, most = points[name]
    return f'{name}={rng.choice(actions)}@{rng.randint(1, most)}'


def _child_entry(rng, name):
    action, probability = CHILD_POINTS[name]
    return f'{name}={action}@{probability},{rng.randint(1, 1 << 30)}'


def _of_turn(seed, points):
    """One after the other, so that a few runs of consecutive seeds meet them all."""
    return sorted(points)[seed % len(points)]


def draw(seed, agents):
    """The same for the same seed."""
    rng = random.Random(seed)
    server = [_entry(rng, SERVER_POINTS, _of_turn(seed, SERVER_POINTS))]
    server += [';'.join(_entry(rng, SERVER_POINTS) for _ in range(rng.randint(1, 2))) for _ in range(rng.randint(0, 2))]
    of_agents = []
    for agent in range(agents):
        first = [_entry(rng, AGENT_POINTS, _of_turn(seed + agent * len(AGENT_POINTS) // 2, AGENT_POINTS))]
        if agent == seed % agents:
            first.append(_child_entry(rng, _of_turn(seed // agents, CHILD_POINTS)))
        of_agents.append([';'.join(first)] + [_entry(rng, AGENT_POINTS) for _ in range(rng.randint(0, 1))])
    blows = [(rng.uniform(0, 5), *rng.choice(BLOWS), rng.randrange(agents)) for _ in range(rng.randint(1, 4))]
    return Schedule(server, of_agents, sorted(blows))


def all_points():
    return {*SERVER_POINTS, *AGENT_POINTS, *CHILD_POINTS}
