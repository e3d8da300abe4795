"""The asyncio twin: the same procedures on an event loop, many at once, and cancelled like any coroutine."""

import asyncio
import inspect
import os
import unittest

import bitwright
import live
import service
from live import LiveTest


class Twin(LiveTest):
    def run_async(self, coroutine):
        return asyncio.run(asyncio.wait_for(coroutine, 2 * service.PATIENCE))

    def test_from_a_folder_to_an_artifact(self):
        async def go():
            async with bitwright.AsyncClient(self.address) as client:
                model = await client.upload_model(self.model_dir)
                self.assertEqual((await client.upload_model(self.model_dir)).sent_bytes, 0)
                estimate = await client.plan(model, '5bpw')
                job = await client.quantize(model, ['5bpw', '6bpw'], **self.texts)
                states = [status.state async for status in job.watch()]
                await job.wait()
                folder = await job.artifacts[1].download(self.path('out'), progress=False)
                return estimate, job, states, await job.reports(), await job.report(), folder
        estimate, job, states, reports, first, folder = self.run_async(go())
        self.assertEqual(states[-1], bitwright.JobState.SUCCEEDED)
        with bitwright.Client(self.address) as client:
            same = client.job(job.name)
            self.assertEqual(same.reports, reports)
            self.assertEqual(same.report, first)
            self.assertEqual(client.plan(self.model_dir, '5bpw'), estimate)
            self.assertEqual(service.files_below(same.artifacts[1].download(self.path('again'))).keys(),
                             service.files_below(folder).keys())
        for name, path in service.files_below(folder).items():
            self.assertEqual(service.digest(path), service.digest(self.path('again', name)), name)

    def test_several_at_once(self):
        async def go():
            async with bitwright.AsyncClient(self.address) as client:
                folders = [live.small_model.write(self.path(f'model{n}'), changed_config={**live.small_model.config(),
                                                                                         'eos_token_id': n})
                           for n in range(2, 5)]
                models = await asyncio.gather(*(client.upload_model(folder) for folder in folders))
                self.assertEqual(len({model.name for model in models}), 3)
                jobs = await asyncio.gather(*(client.quantize(model, 6, **self.texts) for model in models))
                await asyncio.gather(*(job.wait() for job in jobs))
                return [job.state for job in jobs]
        self.assertEqual(self.run_async(go()), [bitwright.JobState.SUCCEEDED] * 3)

    def test_errors_and_cancellation(self):
        async def go():
            async with bitwright.AsyncClient(self.address) as client:
                with self.assertRaises(bitwright.InvalidError) as caught:
                    await client.quantize(self.model_dir, 'ten', **self.texts)
                self.assertEqual((caught.exception.reason, caught.exception.field), ('BUDGET_INVALID', 'budget'))
                job = await client.quantize(self.model_dir, 5, **self.write_texts('cancelled'))
                waiting = asyncio.ensure_future(job.wait())
                await asyncio.sleep(0)
                waiting.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await waiting
                await job.cancel()
                with self.assertRaises(bitwright.JobCancelledError):
                    await job.wait()
                await (await (await job.retry()).wait()).delete()
            async with bitwright.AsyncClient(f'127.0.0.1:{service.free_port()}', patience=0.2) as away:
                with self.assertRaises(bitwright.UnreachableError):
                    await away.recipes()
        self.run_async(go())

    def test_a_service_of_ones_own(self):
        async def go():
            async with await bitwright.AsyncClient.local(daemon=service.program('bitwrightd')) as client:
                self.assertEqual((await client.capabilities()).api_version, 'v1')
                return os.path.dirname(client._local.address.removeprefix('unix:'))
        self.assertFalse(os.path.exists(self.run_async(go())))

    def test_it_has_all_that_the_other_has(self):
        for kind, twin in ((bitwright.Client, bitwright.AsyncClient), (bitwright.Job, bitwright.AsyncJob),
                           (bitwright.Artifact, bitwright.AsyncArtifact)):
            names = {name for name in vars(kind) if not name.startswith('_')}
            self.assertEqual(names, {name for name in vars(twin) if not name.startswith('_')})
            for name in names:
                both = [getattr(one, name) for one in (kind, twin)]
                if callable(both[0]):
                    self.assertEqual(*({key: value.default for key, value in inspect.signature(one).parameters.items()}
                                       for one in both), name)


if __name__ == '__main__':
    unittest.main(verbosity=2)
