"""deploy/pipelines/kubeflow with kfp itself: it compiles the component, and runs a pipeline of it.

kfp's local runner does all but start a container: that one command is run on this machine instead.
"""

import os
import subprocess
import unittest
import unittest.mock

from pipeline import PipelineTest, folder_of, program

folder_of('kubeflow')
from kfp import compiler, dsl, local  # noqa: E402 (its folder of ours is known only now)

from bitwright_kubeflow import quantize_component  # noqa: E402


class Kubeflow(PipelineTest):
    def setUp(self):
        super().setUp()
        self.commands, self.codes = [], []
        handler = 'kfp.local.docker_task_handler.'
        for patch in (unittest.mock.patch(handler + 'docker.from_env'),
                      unittest.mock.patch(handler + 'run_docker_container', self.run_here)):
            patch.start()
            self.addCleanup(patch.stop)
        local.init(runner=local.DockerRunner(), pipeline_root=self.path('root'), raise_on_error=False)

    def run_here(self, client, image, command, volumes, **_):
        self.commands.append((image, command))
        self.assertEqual(command[0], 'bitwright')
        self.codes.append(subprocess.run([program('bitwright'), *command[1:]], check=False).returncode)
        return self.codes[-1]

    def pipeline(self, wanted, **more):
        quantize = quantize_component('registry.example.org/bitwright:9')
        server, model = self.server.address, self.model

        @dsl.pipeline
        def smaller_model(budget: str):
            texts = [dsl.importer(artifact_uri=path, artifact_class=dsl.Dataset)
                     for path in (wanted.calibration[0], wanted.evaluation[0])]
            quantize(server=server, model=model, budget=budget, calibration=texts[0].output,
                     evaluation=texts[1].output, **more)
        return smaller_model

    def test_it_compiles(self):
        path = self.path('pipeline.yaml')
        compiler.Compiler().compile(self.pipeline(self.wanted()), path)
        self.assertGreater(os.path.getsize(path), 0)

    def test_a_pipeline_gets_the_result(self):
        self.pipeline(self.wanted(size_bytes=20_000), job_name='from-kubeflow')(budget='4.25bpw')
        (image, command), = self.commands
        self.assertEqual(self.codes, [0])
        self.assert_result(command[command.index('--out') + 1])
        self.assertEqual(image, 'registry.example.org/bitwright:9')
        self.assertNotIn('--token-file', command, 'what is not given is left out')
        self.assertEqual(self.only_job()['spec']['display_name'], 'from-kubeflow')

    def test_a_refused_budget_fails_the_pipeline(self):
        local.init(runner=local.DockerRunner(), pipeline_root=self.path('root'), raise_on_error=True)
        with self.assertRaisesRegex(RuntimeError, 'bitwright-quantize'):
            self.pipeline(self.wanted(size_bytes=20_000))(budget='0.5bpw')
        self.assertEqual(self.codes, [2])


if __name__ == '__main__':
    unittest.main(verbosity=2)
