"""The command line as pipelines drive it: deploy/pipelines/shared/bitwright_cli.py."""

import asyncio
import unittest

from pipeline import PipelineTest

import bitwright_cli
from bitwright_cli import Bitwright, BitwrightError, Quantization


class Cli(PipelineTest):
    def test_a_job_from_its_queue_to_its_result(self):
        service = Bitwright()
        job = service.submit(self.wanted(name='one', labels={'team': 'nlp'}))
        self.assertEqual(service.wait(job)['state'], 'SUCCEEDED')
        self.assertEqual(service.show(job)['spec']['labels'], {'team': 'nlp'})
        report = service.download(job, self.path('out'))
        self.assertEqual(report, service.report(job))
        self.assert_result(self.path('out'))
        found = bitwright_cli.facts(report)
        self.assertLessEqual(found['average_bits'], 4.25)
        self.assertGreater(found['kl_divergence'], 0)
        service.cancel(job)
        self.assertEqual(service.show(job)['state'], 'SUCCEEDED', 'what has ended stays')

    def test_errors_have_their_reason(self):
        service = Bitwright()
        with self.assertRaises(BitwrightError) as refused:
            service.submit(self.wanted(budget='0.5bpw'))
        self.assertEqual((refused.exception.reason, refused.exception.code), ('BUDGET_BELOW_SMALLEST_PLAN', 2))
        with self.assertRaises(BitwrightError) as failed:
            service.wait(service.submit(self.impossible()))
        self.assertEqual(failed.exception.reason, 'BOUND_NOT_MET')
        self.assertFalse(failed.exception.passes)
        with self.assertRaises(BitwrightError) as unknown:
            list(service.watch('jobs/none'))
        self.assertEqual((unknown.exception.reason, unknown.exception.code), ('JOB_NOT_FOUND', 4))
        with self.assertRaises(ValueError):
            self.wanted(max_kld='0.1').arguments()

    def test_following_ends_with_a_cancelled_job(self):
        service = Bitwright(server=self.server.address)
        job = service.submit(self.long())

        async def states():
            found = []
            async for shown in service.watch_async(job):
                if not found:
                    await asyncio.to_thread(service.cancel, job)
                found.append(shown['state'])
            return found
        self.assertEqual(asyncio.run(states())[-1], 'CANCELLED')
        with self.assertRaises(BitwrightError) as cancelled:
            service.wait(job)
        self.assertEqual((cancelled.exception.reason, cancelled.exception.code), ('JOB_CANCELLED', 5))

    def test_one_goal_is_asked_for(self):
        for changes in ({'budget': ''}, {'budget': '4bpw,5bpw'}, {'target': 'gguf,gptq'}, {'max_ppl_rise': '1%'}):
            with self.assertRaises(ValueError, msg=changes):
                self.wanted(**changes).arguments()
        self.assertIn('--max-kld', Quantization('m', ['c'], ['e'], max_kld='0.1').arguments())


if __name__ == '__main__':
    unittest.main(verbosity=2)
