"""deploy/pipelines/airflow with Airflow itself: its operator in a DAG that is run, deferred and not, and what ends a job."""

import asyncio
import os
import runpy
import tempfile
import unittest

from pipeline import PipelineTest, folder_of, wait_until

# Airflow runs what stands in its folder of DAGs.
DAG_FILE = '''
from airflow.sdk import DAG
from bitwright_airflow import BitwrightQuantizeOperator

with DAG({name!r}, schedule=None) as dag:
    BitwrightQuantizeOperator(**{arguments!r})
'''
HOME = tempfile.TemporaryDirectory(prefix='airflow-')
os.environ.update(AIRFLOW_HOME=HOME.name, AIRFLOW__CORE__LOAD_EXAMPLES='False',
                  AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f'sqlite:///{HOME.name}/airflow.db',
                  AIRFLOW__LOGGING__LOGGING_LEVEL='WARNING')
DAGS = os.path.join(HOME.name, 'dags')
os.makedirs(DAGS)

folder_of('airflow')
from airflow.models.xcom import XCOM_RETURN_KEY  # noqa: E402 (its configuration is known only now)
from airflow.sdk.exceptions import TaskDeferred  # noqa: E402
from airflow.utils.db import initdb  # noqa: E402

from bitwright_airflow import BitwrightJobTrigger, BitwrightQuantizeOperator  # noqa: E402
from bitwright_cli import Bitwright, facts  # noqa: E402


class AirflowDag(PipelineTest):
    @classmethod
    def setUpClass(cls):
        initdb()

    def arguments(self, wanted):
        return {'task_id': 'quantize', 'model': wanted.model, 'calibration': wanted.calibration,
                'evaluation': wanted.evaluation, 'budget': wanted.budget, 'max_kld': wanted.max_kld,
                'options': wanted.options, 'out': self.path('out')}

    def run_dag(self, wanted, **more):
        """State of the task, and what it returned."""
        name = self.id().rpartition('.')[2]
        path = os.path.join(DAGS, name + '.py')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(DAG_FILE.format(name=name, arguments={**self.arguments(wanted), **more}))
        self.addCleanup(os.unlink, path)
        run = runpy.run_path(path)['dag'].test()
        task = run.get_task_instance('quantize')
        return task.state, task.xcom_pull(task_ids='quantize', key=XCOM_RETURN_KEY)

    def check_success(self, state, returned):
        self.assertEqual(state, 'success')
        self.assert_result(self.path('out'))
        report = Bitwright().report(returned['job'])
        self.assertEqual(returned, {'job': self.only_job()['name'], 'verdict': report['verdict'], **facts(report)})

    def test_a_dag_that_defers(self):
        self.check_success(*self.run_dag(self.wanted()))

    def test_a_dag_that_waits(self):
        self.check_success(*self.run_dag(self.wanted(), deferrable=False))

    def test_a_job_that_fails_is_not_tried_again(self):
        state, _ = self.run_dag(self.impossible(), retries=3)
        self.assertEqual(state, 'failed')
        self.assertEqual(self.only_job()['state'], 'FAILED')

    def test_a_killed_task_cancels_its_job(self):
        operator = BitwrightQuantizeOperator(**self.arguments(self.long()))
        with self.assertRaises(TaskDeferred) as deferred:
            operator.execute({})
        trigger = deferred.exception.trigger
        path, arguments = trigger.serialize()
        self.assertEqual(path, 'bitwright_airflow.BitwrightJobTrigger')
        asyncio.run(BitwrightJobTrigger(**arguments).on_kill())
        wait_until(lambda: self.only_job()['state'] == 'CANCELLED', 'the job is cancelled')

    def test_so_does_one_that_a_worker_has(self):
        operator = BitwrightQuantizeOperator(**self.arguments(self.long()))
        with self.assertRaises(TaskDeferred):
            operator.execute({})
        operator.on_kill()
        wait_until(lambda: self.only_job()['state'] == 'CANCELLED', 'the job is cancelled')

    def test_a_triggerer_that_restarts_leaves_the_job(self):
        job = Bitwright().submit(self.long())

        async def restart():
            following = BitwrightJobTrigger(job, {}).run()
            waiting = asyncio.ensure_future(anext(following))
            while self.only_job()['state'] != 'RUNNING':
                await asyncio.sleep(0.01)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        asyncio.run(restart())
        self.assertEqual(self.only_job()['state'], 'RUNNING')
        Bitwright().cancel(job)


if __name__ == '__main__':
    unittest.main(verbosity=2)
