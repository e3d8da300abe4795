#!/usr/bin/env python3
"""Writes the dashboards of this folder as JSON. A test fails where those that are checked in differ.

usage: make_dashboards.py [FOLDER]
"""

import json
import os
import sys

from panels import Panel, dashboard

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER = 'instance=~"$instance"'


def total(series, by, matchers='', over=''):
    """Sum of a series of the chosen servers; over: a function of PromQL and its range, such as "rate[5m]"."""
    selector = f'{series}{{{SERVER}{", " + matchers if matchers else ""}}}'
    if over:
        function, _, window = over.partition('[')
        selector = f'{function}({selector}[{window})'
    return f'sum by ({by}) ({selector})' if by else f'sum({selector})'


def quantile(share, histogram, by, over):
    buckets = total(f'{histogram}_bucket', f'{by}, le' if by else 'le', over=over)
    return f'histogram_quantile({share}, {buckets})'


def quantiles(histogram, by, legend, over):
    return [(quantile(share, histogram, by, over), f'{legend} {name}'.strip())
            for share, name in ((0.5, 'median'), (0.95, '95 %'))]


RATE = 'rate[$__rate_interval]'
HOUR = 'increase[1h]'
RANGE = 'increase[$__range]'
KIND_OF_WORKER = 'device, compute_class'

FLEET = [
    Panel('Oldest queued job', 'stat', 's', [('max(bitwright_oldest_queued_job_age_seconds{%s})' % SERVER, 'age')],
          'How long the job at the front of the queue has waited; 0: none is queued.', 6, 5),
    Panel('Jobs', 'stat', 'short', [(total('bitwright_jobs', 'state', 'state=~"queued|running"'), '{{state}}')],
          'Jobs that wait and jobs that run.', 6, 5),
    Panel('Slots', 'stat', 'short', [(total('bitwright_worker_slots_busy', ''), 'busy'),
                                     (total('bitwright_worker_slots', ''), 'all')],
          'Tasks that workers run, and can run at once; the lanes of small tasks are counted.', 6, 5),
    Panel('Utilisation', 'gauge', 'percentunit',
          [(total('bitwright_worker_slots_busy', '') + ' / ' + total('bitwright_worker_slots', ''), 'busy')],
          'Share of all slots that are busy now.', 6, 5),
    Panel('Age of the queue', 'timeseries', 's',
          [('max by (instance) (bitwright_oldest_queued_job_age_seconds{%s})' % SERVER, '{{instance}}')],
          'Age of the job that is queued longest.'),
    Panel('Wait of tasks', 'timeseries', 's', quantiles('bitwright_task_queue_wait_seconds', '', '', RATE),
          'From the moment when a task could run to its lease.'),
    Panel('Utilisation by class and device', 'timeseries', 'percentunit',
          [('avg by (%s) (instance_device_compute_class:bitwright_worker_slots_busy:ratio{%s})'
            % (KIND_OF_WORKER, SERVER), '{{device}} {{compute_class}}')],
          'Share of the slots of each kind of workers that are busy.'),
    Panel('Slots by class and device', 'timeseries', 'short',
          [(total('bitwright_worker_slots', KIND_OF_WORKER), '{{device}} {{compute_class}}')],
          'Tasks that the workers of each kind can run at once.', stacked=True),
    Panel('Tasks that wait, by reason', 'timeseries', 'short',
          [(total('bitwright_tasks_waiting', 'reason'), '{{reason}}')],
          'Tasks of jobs of which nothing runs, by what keeps them.', stacked=True),
    Panel('Failed jobs by reason', 'bargauge', 'short', [(total('bitwright_jobs_failed_total', 'reason'), '{{reason}}')],
          'Since the start of the server.'),
    Panel('Faults of workers', 'timeseries', 'short',
          [(total('bitwright_task_retries_total', '', over=HOUR), 'attempts repeated'),
           (total('bitwright_lease_expiries_total', '', over=HOUR), 'leases expired')],
          'Within the last hour.'),
    Panel('Calls', 'timeseries', 'reqps', [(total('bitwright_rpcs_total', 'code', over=RATE), '{{code}}')],
          'Calls answered, by code.', stacked=True),
    Panel('Time of calls', 'timeseries', 's',
          [('max by (instance) (instance:bitwright_rpc_seconds:p99_rate5m{%s})' % SERVER, '{{instance}} 99 %')],
          'From arrival to answer, streams and waits for work left out.'),
    Panel('Full lanes', 'timeseries', 'short',
          [(total('bitwright_lane_depth', 'lane'), '{{lane}} waiting'),
           (total('bitwright_lane_refusals_total', 'lane', over=HOUR), '{{lane}} refused within an hour')],
          'Steps that wait for a thread, and calls that were refused since their lane was full.'),
]

JOBS = [
    Panel('Ended within the last hour', 'stat', 'short',
          [(total('bitwright_jobs_ended_total', 'outcome', over=HOUR), '{{outcome}}')], 'Jobs by outcome.', 8, 5),
    Panel('Cache hit ratio', 'gauge', 'percentunit',
          [('avg(instance:bitwright_action_cache_hits:ratio_rate1h{%s})' % SERVER, 'hits')],
          'Share of the tasks of the last hour that were answered from the action cache.', 8, 5),
    Panel('Failed jobs', 'gauge', 'percentunit',
          [('avg(instance:bitwright_jobs_failed:ratio_increase1h{%s})' % SERVER, 'failed')],
          'Share of the jobs of the last hour that failed; cancelled ones are not counted.', 8, 5),
    Panel('Mean time of a task', 'timeseries', 's',
          [(total('bitwright_task_seconds_sum', 'kind', over=HOUR) + ' / ('
            + total('bitwright_task_seconds_count', 'kind', over=HOUR) + ' > 0)', '{{kind}}')],
          'By stage, over the last hour.', logarithmic=True),
    Panel('Time of a task, 95 %', 'timeseries', 's',
          [(quantile(0.95, 'bitwright_task_seconds', 'kind', HOUR), '{{kind}}')],
          'By stage, over the last hour.', logarithmic=True),
    Panel('Where the time goes', 'bargauge', 's',
          [(total('bitwright_task_seconds_sum', 'kind', over=RANGE), '{{kind}}')],
          'Seconds of workers by stage, over the range of the dashboard.', height=12),
    Panel('Finished tasks', 'timeseries', 'ops', [(total('bitwright_task_seconds_count', 'kind', over=RATE), '{{kind}}')],
          'By stage; tasks answered from the cache are not among them.', height=12, stacked=True),
    Panel('Tasks of unfinished jobs', 'timeseries', 'short', [(total('bitwright_tasks', 'state'), '{{state}}')],
          'By state.', stacked=True),
    Panel('Action cache', 'timeseries', 'ops',
          [(total('bitwright_action_cache_hits_total', '', over=RATE), 'hits'),
           (total('bitwright_action_cache_misses_total', '', over=RATE), 'misses')],
          'Tasks that were answered from the cache, and tasks that had to run.', stacked=True),
    Panel('Jobs', 'timeseries', 'short', [(total('bitwright_jobs', 'state'), '{{state}}')],
          'All that the server holds, by state.'),
    Panel('Times of all tasks', 'heatmap', 's', [(total('bitwright_task_seconds_bucket', 'le', over=RATE), '{{le}}')],
          'How many tasks took how long.'),
]

KL = 'bitwright_artifact_kl_divergence_nats'
BITS = 'bitwright_artifact_average_bits'
QUALITY = [
    Panel('Artifacts', 'stat', 'short', [(total('bitwright_artifacts_total', 'target', over=RANGE), '{{target}}')],
          'Made over the range of the dashboard, by target.', 8, 6),
    Panel('Mean KL divergence', 'stat', 'none',
          [(total(f'{KL}_sum', 'target', over=RANGE) + f' / ({total(f"{KL}_count", "target", over=RANGE)} > 0)',
            '{{target}}')],
          'Nats per token, as measured, over the range of the dashboard.', 8, 6),
    Panel('Mean bits', 'stat', 'none',
          [(total(f'{BITS}_sum', 'target', over=RANGE) + f' / ({total(f"{BITS}_count", "target", over=RANGE)} > 0)',
            '{{target}}')],
          'Average bits per weight, over the range of the dashboard.', 8, 6),
    Panel('Distribution of the KL divergence', 'bargauge', 'short',
          [(total(f'{KL}_bucket', 'le', over=RANGE), '{{le}}')],
          'Artifacts by nats per token, as measured; a bar is named by the most that it holds.', height=12),
    Panel('Distribution of bits', 'bargauge', 'short', [(total(f'{BITS}_bucket', 'le', over=RANGE), '{{le}}')],
          'Artifacts by average bits per weight; a bar is named by the most that it holds.', height=12),
    Panel('KL divergence', 'timeseries', 'none', quantiles(KL, 'target', '{{target}}', 'increase[1d]'),
          'Nats per token, of the artifacts of a day.', logarithmic=True),
    Panel('Bits', 'timeseries', 'none', quantiles(BITS, 'target', '{{target}}', 'increase[1d]'),
          'Average bits per weight, of the artifacts of a day.'),
    Panel('Verdicts', 'piechart', 'short', [(total('bitwright_artifacts_total', 'verdict', over=RANGE), '{{verdict}}')],
          'Which plan was selected, and whether it was better on the evaluation text than the other kind of plan. '
          'bound_met: the smallest plan that meets a bound of quality.', height=9),
    Panel('Verdicts by day', 'timeseries', 'short',
          [(total('bitwright_artifacts_total', 'verdict', over='increase[1d]'), '{{verdict}}')],
          'Artifacts of the last 24 hours, by verdict.', height=9, stacked=True),
]

STORAGE = [
    Panel('Free', 'gauge', 'percentunit', [('min(instance:bitwright_disk_free:ratio{%s})' % SERVER, 'free')],
          'Share of the file system of the data directory that is free; of several servers the least.', 8, 5),
    Panel('Blobs', 'stat', 'short', [(total('bitwright_blobs', ''), 'blobs')], 'Blobs held.', 8, 5),
    Panel('Bytes of blobs', 'stat', 'bytes', [(total('bitwright_blob_bytes', ''), 'bytes')],
          'Models, artifacts and intermediate results.', 8, 5),
    Panel('Disk', 'timeseries', 'bytes',
          [('bitwright_disk_free_bytes{%s}' % SERVER, '{{instance}} free'),
           ('bitwright_disk_size_bytes{%s}' % SERVER, '{{instance}} size')],
          'The file system of the data directory.'),
    Panel('Blobs over time', 'timeseries', 'bytes', [(total('bitwright_blob_bytes', 'instance'), '{{instance}}')],
          'Bytes of the blobs held.'),
    Panel('Uploads', 'timeseries', 'Bps', [(total('bitwright_upload_bytes_total', 'instance', over=RATE), '{{instance}}')],
          'Bytes received.'),
    Panel('Removed and lost', 'timeseries', 'short',
          [(total('bitwright_blobs_collected_total', '', over=HOUR), 'removed as unused'),
           (total('bitwright_blobs_lost_total', '', over=HOUR), 'lost')],
          'Blobs within the last hour. Lost: the file was gone.'),
    Panel('Time of a commit', 'timeseries', 's', quantiles('bitwright_commit_seconds', '', '', RATE),
          'How long the store takes to make changes durable.'),
    Panel('Changes of one commit', 'timeseries', 'short', quantiles('bitwright_commit_transactions', '', '', RATE),
          'How many changes one commit makes durable.'),
    Panel('Refused for a quota', 'timeseries', 'short',
          [(total('bitwright_quota_refusals_total', 'quota', over=HOUR), '{{quota}}')],
          'Calls within the last hour whose tenant has what it may have.'),
]

DASHBOARDS = [
    dashboard('fleet', 'fleet', 'The queue, workers and calls.', FLEET),
    dashboard('jobs', 'jobs', 'Jobs, the times of their stages, and the action cache.', JOBS),
    dashboard('quality', 'quality', 'What finished jobs were measured to give.', QUALITY),
    dashboard('storage', 'storage', 'Disk, blobs, uploads and the database.', STORAGE),
]


def texts():
    """Name of each file to its text."""
    return {board['uid'] + '.json': json.dumps(board, indent=1, sort_keys=True) + '\n' for board in DASHBOARDS}


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, 'dashboards')
    for name, text in texts().items():
        with open(os.path.join(folder, name), 'w', encoding='utf-8') as file:
            file.write(text)


if __name__ == '__main__':
    main()
