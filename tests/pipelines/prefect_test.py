"""deploy/pipelines/prefect with Prefect itself: a flow that quantizes, one that fails, one that is interrupted."""

import os
import unittest

from pipeline import PipelineTest, folder_of, wait_until

folder_of('prefect')
from prefect import flow  # noqa: E402 (its folder of ours is known only now)
from prefect.artifacts import Artifact  # noqa: E402
from prefect.testing.utilities import prefect_test_harness  # noqa: E402

import bitwright_prefect  # noqa: E402
from bitwright_cli import Bitwright, BitwrightError, facts  # noqa: E402


@flow
def smaller_model(wanted, out):
    return bitwright_prefect.quantize(wanted, out)


class PrefectFlow(PipelineTest):
    @classmethod
    def setUpClass(cls):
        os.environ.update(PREFECT_SERVER_ANALYTICS_ENABLED='false', DO_NOT_TRACK='1')
        cls.harness = prefect_test_harness(server_startup_timeout=120)
        cls.harness.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.harness.__exit__(None, None, None)

    def test_a_flow_gets_the_report(self):
        report = smaller_model(self.wanted(), self.path('out'))
        self.assert_result(self.path('out'))
        self.assertEqual(report, Bitwright().report(self.only_job()['name']))
        artifact = Artifact.get('bitwright-report')
        self.assertIn(report['verdict'], artifact.data)
        self.assertIn(f'{facts(report)["kl_divergence"]:g}', artifact.data)

    def test_a_job_that_fails_is_not_tried_again(self):
        with self.assertRaises(BitwrightError) as failed:
            smaller_model(self.impossible(), self.path('out'))
        self.assertEqual(failed.exception.reason, 'BOUND_NOT_MET')
        self.assertEqual(self.only_job()['state'], 'FAILED')

    def test_a_server_that_is_away_is_asked_again(self):
        class Away(Bitwright):
            """A server that cannot be reached at first."""
            calls = 0

            def submit(self, wanted):
                Away.calls += 1
                if Away.calls == 1:
                    raise BitwrightError('SERVER_UNREACHABLE', 'the server is away', 3)
                return super().submit(wanted)

        @flow
        def patient():
            return bitwright_prefect.quantize.with_options(retry_delay_seconds=0)(self.wanted(), self.path('out'), Away())
        self.assertEqual(patient(), Bitwright().report(self.only_job()['name']))
        self.assertEqual(Away.calls, 2)

    def test_a_job_ends_with_the_run_that_waits_for_it(self):
        class Interruption(BaseException):
            pass

        class Interrupted(Bitwright):
            """A server whose watching is broken off, as a signal does it, once the job runs."""

            def watch(self, job):
                for shown in super().watch(job):
                    yield shown
                    if shown['state'] == 'RUNNING':
                        raise Interruption

        @flow
        def interrupted():
            return bitwright_prefect.quantize(self.long(), self.path('out'), Interrupted())
        with self.assertRaises(Interruption):
            interrupted()
        wait_until(lambda: self.only_job()['state'] == 'CANCELLED', 'the job is cancelled')


if __name__ == '__main__':
    unittest.main(verbosity=2)
