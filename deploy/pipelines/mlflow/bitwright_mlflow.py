"""Jobs of Bitwright in MLflow: parameters, metrics, the report and the artifact of a run, and a registered model.

The artifact is logged as a model of the flavour "bitwright", whose data is the folder that its programs load
(transformers, vLLM, llama.cpp): load_model gives its path.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import Any, Mapping

import mlflow
from mlflow.models import Model
from mlflow.models.model import MLMODEL_FILE_NAME

from bitwright_cli import facts

FLAVOUR = 'bitwright'
_DATA = 'data'  # folder of the artifact within the model
_LONGEST_PARAMETER = 500  # mlflow.utils.validation.MAX_PARAM_VAL_LENGTH is no smaller in any release since 1.28


def parameters(report: Mapping[str, Any]) -> dict[str, str]:
    """What the job was asked for and how it was computed."""
    (budget, amount), = report['budget'].items()
    provenance = report['provenance']
    found = {
        'model': report['model'], 'recipe': report['recipe'], 'target': report['target'], 'budget_kind': budget,
        'budget': amount, 'selected': report['selected'], 'calibration_tokens': provenance['calibration_tokens'],
        'evaluation_tokens': provenance['evaluation_tokens'], 'window': provenance['window'],
        'compute_class': provenance['compute_class'], 'code_version': provenance['code_version'],
    }
    return {name: str(value)[:_LONGEST_PARAMETER] for name, value in found.items()}


def log_result(out: str, job: str = '', registered_model_name: str | None = None) -> Any:
    """Logs a result folder, as `bitwright quantize` and `artifact download` fill it, to the active run (or a new one).

    out: with model/, report.json and report.txt. job: its name, as a tag. Returns mlflow's ModelInfo; with
    registered_model_name the model is registered under it, too, as a new version.
    """
    with open(os.path.join(out, 'report.json'), encoding='utf-8') as file:
        report = json.load(file)
    with _run():
        mlflow.log_params(parameters(report))
        mlflow.log_metrics(facts(report))
        mlflow.set_tags({'bitwright.verdict': report['verdict'], **({'bitwright.job': job} if job else {})})
        for name in ('report.json', 'report.txt'):
            mlflow.log_artifact(os.path.join(out, name), 'bitwright')
        return log_model(os.path.join(out, 'model'), report, registered_model_name)


class _run:
    """The active run, which stays active, or one that ends with the block."""

    def __enter__(self):
        self._own = None if mlflow.active_run() else mlflow.start_run()
        return mlflow.active_run()

    def __exit__(self, kind, error, trace):
        if self._own:
            mlflow.end_run('FINISHED' if kind is None else 'FAILED')


def save_model(path: str, artifact: str, report: Mapping[str, Any], mlflow_model: Model | None = None) -> None:
    """A model of this flavour in a new folder: MLmodel, and a copy of the artifact."""
    mlflow_model = mlflow_model or Model()
    shutil.copytree(artifact, os.path.join(path, _DATA))
    mlflow_model.add_flavor(
        FLAVOUR, data=_DATA, target=report['target'], selected=report['selected'],
        consumers=[one['name'] for one in report.get('consumers', ()) if one.get('loads')])
    mlflow_model.save(os.path.join(path, MLMODEL_FILE_NAME))


def log_model(artifact: str, report: Mapping[str, Any], registered_model_name: str | None = None,
              name: str = 'model') -> Any:
    """Logs the folder of an artifact as a model of the active run; see log_result."""
    import bitwright_mlflow  # mlflow wants the module of a flavour

    return Model.log(name, flavor=bitwright_mlflow, registered_model_name=registered_model_name, artifact=artifact,
                     report=report)


def load_model(model_uri: str, dst_path: str | None = None) -> str:
    """Downloads a model ("models:/NAME/3", "runs:/ID/model") and returns the folder that the target's programs load."""
    path = mlflow.artifacts.download_artifacts(artifact_uri=model_uri, dst_path=dst_path)
    flavour = Model.load(os.path.join(path, MLMODEL_FILE_NAME)).flavors[FLAVOUR]
    return os.path.join(path, flavour['data'])
