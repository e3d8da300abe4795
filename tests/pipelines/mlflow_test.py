"""deploy/pipelines/mlflow with MLflow itself: a run, its metrics, and a registered model that comes back whole."""

import json
import os
import unittest

from pipeline import PipelineTest, files_below, folder_of

folder_of('mlflow')
import mlflow  # noqa: E402 (its folder of ours is known only now)

import bitwright_mlflow  # noqa: E402
from bitwright_cli import Bitwright, selected  # noqa: E402
from service import digest  # noqa: E402


class MlflowRun(PipelineTest):
    def setUp(self):
        super().setUp()
        # A folder takes the place of MLflow's server and its database: the same calls, in a process less.
        self.set_variables(MLFLOW_ALLOW_FILE_STORE='true', MLFLOW_DISABLE_TELEMETRY='true')
        mlflow.set_tracking_uri('file://' + self.path('tracking'))
        mlflow.set_registry_uri('file://' + self.path('tracking'))

    def test_a_result_is_logged_and_registered(self):
        service = Bitwright()
        job = service.submit(self.wanted())
        service.wait(job)
        report = service.download(job, self.path('out'))
        with mlflow.start_run() as run:
            bitwright_mlflow.log_result(self.path('out'), job, registered_model_name='small')
            self.assertEqual(mlflow.active_run().info.run_id, run.info.run_id, 'a run of the caller goes on')
        client = mlflow.MlflowClient()
        logged = client.get_run(run.info.run_id).data
        self.assertEqual(logged.metrics['kl_divergence'], selected(report)['kl_divergence']['mean'])
        self.assertEqual(logged.metrics['artifact_bytes'], int(report['artifact_bytes']))
        self.assertEqual(logged.params['budget'], '4.25')
        self.assertEqual(logged.params['target'], 'compressed-tensors')
        self.assertEqual(logged.tags['bitwright.job'], job)
        version, = client.search_model_versions("name = 'small'")
        self.assertEqual((str(version.version), version.run_id), ('1', run.info.run_id))

        kept = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path='bitwright/report.json')
        with open(kept, encoding='utf-8') as file:
            self.assertEqual(json.load(file), report)
        model = bitwright_mlflow.load_model('models:/small/1', self.path('loaded'))
        for name, path in files_below(self.path('out', 'model')).items():
            self.assertEqual(digest(os.path.join(model, name)), digest(path), name)

    def test_a_second_result_is_a_second_version(self):
        service = Bitwright()
        for budget in ('4.25bpw', '6bpw'):
            job = service.submit(self.wanted(budget=budget))
            service.wait(job)
            service.download(job, self.path(budget))
            bitwright_mlflow.log_result(self.path(budget), registered_model_name='small')
            self.assertIsNone(mlflow.active_run(), 'a run of its own has ended')
        client = mlflow.MlflowClient()
        versions = client.search_model_versions("name = 'small'")
        self.assertEqual({str(version.version) for version in versions}, {'1', '2'})
        bits = {client.get_run(version.run_id).data.params['budget'] for version in versions}
        self.assertEqual(bits, {'4.25', '6'})


if __name__ == '__main__':
    unittest.main(verbosity=2)
