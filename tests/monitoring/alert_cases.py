"""For each alert the series under which it fires, and others, as near as can be, under which it does not.

A case is a dict from a selector to promtool's notation of its values, one a minute ("0+6x20": 0, 6, 12 … 120). Each is
looked at when its values end.
"""

_A = 'instance="a"'


def _latency(histogram, slow):
    """A hundred observations a minute, of which some are slow."""
    return {f'{histogram}_bucket{{{_A}, le="0.5"}}': f'0+{100 - slow}x30',
            f'{histogram}_bucket{{{_A}, le="5"}}': '0+100x30', f'{histogram}_bucket{{{_A}, le="+Inf"}}': '0+100x30'}


def _waiting(reason, values):
    return {f'bitwright_tasks_waiting{{{_A}, reason="{reason}"}}': values}


def _calls(code, values):
    return {f'bitwright_rpcs_total{{{_A}, method="GetJob", code="OK"}}': '0+50x20',
            f'bitwright_rpcs_total{{{_A}, method="GetJob", code="{code}"}}': values}


def _ended(failed, succeeded):
    return {f'bitwright_jobs_ended_total{{{_A}, outcome="failed"}}': failed,
            f'bitwright_jobs_ended_total{{{_A}, outcome="succeeded"}}': succeeded}


def _disk(free):
    return {f'bitwright_disk_free_bytes{{{_A}}}': free, f'bitwright_disk_size_bytes{{{_A}}}': '100000000000x200'}


def _leased(finished):
    return {f'bitwright_tasks{{{_A}, state="leased"}}': '2x240',
            f'bitwright_task_seconds_count{{{_A}, kind="quantize"}}': finished}


# alert → (cases in which it fires, cases in which it does not)
CASES = {
    'BitwrightDown': ([{f'up{{job="bitwright", {_A}}}': '0x5'}],
                      [{f'up{{job="bitwright", {_A}}}': '1x5'}, {f'up{{job="other", {_A}}}': '0x5'}]),
    'BitwrightCallsFail': ([_calls('INTERNAL', '0+5x20'), _calls('UNAVAILABLE', '0+5x20')],
                           [_calls('INTERNAL', '0+1x20'), _calls('NOT_FOUND', '0+50x20')]),
    'BitwrightCallsSlow': ([_latency('bitwright_rpc_seconds', 3)], [_latency('bitwright_rpc_seconds', 0)]),
    'BitwrightCallsRefused': ([{f'bitwright_lane_refusals_total{{{_A}, lane="bulk"}}': '0+6x15'}],
                              [{f'bitwright_lane_refusals_total{{{_A}, lane="bulk"}}': '60x15'}]),
    'BitwrightWritesSlow': ([_latency('bitwright_commit_seconds', 3)], [_latency('bitwright_commit_seconds', 0)]),
    'BitwrightNoWorker': ([_waiting('NO_WORKER', '3x6'), _waiting('WORKER_MISSING', '1x6')],
                          [_waiting('WORKERS_BUSY', '3x6'), _waiting('NO_WORKER', '0x6'),
                           _waiting('NO_WORKER', '3x1 0x5')]),
    'BitwrightWorkersClosed': ([_waiting('WORKERS_CORDONED', '1x35')],
                               [_waiting('WORKERS_CORDONED', '1x20'), _waiting('WORKERS_BUSY', '1x35')]),
    'BitwrightQueueOld': ([{f'bitwright_oldest_queued_job_age_seconds{{{_A}}}': '15000x10'}],
                          [{f'bitwright_oldest_queued_job_age_seconds{{{_A}}}': '14000x10'}]),
    'BitwrightNoProgress': ([_leased('7x240')], [_leased('0+1x240'), _leased('7x230 8x10')]),
    'BitwrightJobsFail': ([_ended('0+1x70', '0+0.5x70')],
                          [_ended('0+1x70', '0+2x70'), _ended('0x30 2x30', '0x60')]),
    'BitwrightTasksRetried': ([{f'bitwright_task_retries_total{{{_A}}}': '0+1x40'}],
                              [{f'bitwright_task_retries_total{{{_A}}}': '0+0.1x40'}]),
    'BitwrightLeasesExpire': ([{f'bitwright_lease_expiries_total{{{_A}}}': '0+1x40'}],
                              [{f'bitwright_lease_expiries_total{{{_A}}}': '40x40'}]),
    'BitwrightStorageStopsWork': ([_waiting('DISK_LOW', '2x5'), _waiting('SERVER_STORAGE', '2x5')],
                                  [_waiting('DISK_LOW', '0x5'), _waiting('WORKERS_BUSY', '2x5')]),
    'BitwrightDiskFillsUp': ([_disk('24000000000-50000000x200')],
                             [_disk('24000000000x200'), _disk('90000000000-50000000x200')]),
    'BitwrightBlobsLost': ([{f'bitwright_blobs_lost_total{{{_A}}}': '0x5 2x10'}],
                           [{f'bitwright_blobs_lost_total{{{_A}}}': '2x15'}]),
}
