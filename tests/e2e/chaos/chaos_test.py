"""Ten runs of chaos with fixed seeds; the README beside it says what they check."""

import unittest

from chaos import AGENTS, disturbed, draw, undisturbed

SEEDS = range(1, 11)


class Chaos(unittest.TestCase):
    def test_what_must_hold_holds(self):
        expected = undisturbed()
        for seed in SEEDS:
            with self.subTest(seed=seed):
                violation, acted, seconds, logs = disturbed(seed, expected)
                print(f'seed {seed}: {seconds:.1f} s, {", ".join(sorted(acted)) or "no failpoint"}', flush=True)
                self.assertIsNone(violation, f'seed {seed}\n{draw(seed, AGENTS)}\n{logs}')


if __name__ == '__main__':
    unittest.main(verbosity=2)
