"""A component of Kubeflow Pipelines that quantizes a model: the program `bitwright` in its container, nothing else."""

from typing import Callable, Optional

from kfp import dsl


def quantize_component(image: str = 'bitwright') -> Callable[..., dsl.PipelineTask]:
    """The component, whose container is made from this image; see deploy/README.md for making it."""

    @dsl.container_component
    def bitwright_quantize(
            server: str, model: str, budget: str, calibration: dsl.Input[dsl.Dataset],
            evaluation: dsl.Input[dsl.Dataset], result: dsl.Output[dsl.Model], target: str = 'compressed-tensors',
            job_name: Optional[str] = None, token_file: Optional[str] = None, tls_ca: Optional[str] = None):
        """Quantizes a model within a budget on a Bitwright server.

        Args:
            server: HOST:PORT.
            model: The name of a model on the server.
            budget: Average bits ("4.25bpw"), bytes ("12MB") or a bound of quality ("kld=0.05", "ppl=1%").
            calibration: The text to calibrate on.
            evaluation: The text to measure on.
            result: A folder with model/ (the artifact), report.json and report.txt.
            target: compressed-tensors, gguf or gptq.
            job_name: The display name of the job, by which `bitwright job cancel` finds it.
            token_file: Path of the mounted token, where the server asks for one.
            tls_ca: PEM file of the certificates that the server's is checked with, or "system".
        """
        return dsl.ContainerSpec(
            image=image, command=['bitwright'],
            args=['quantize', model, '--server', server, '--budget', budget, '--target', target,
                  '--calibration', calibration.path, '--evaluation', evaluation.path, '--out', result.path,
                  dsl.IfPresentPlaceholder(input_name='job_name', then=['--name', job_name]),
                  dsl.IfPresentPlaceholder(input_name='token_file', then=['--token-file', token_file]),
                  dsl.IfPresentPlaceholder(input_name='tls_ca', then=['--tls-ca', tls_ca])])
    return bitwright_quantize
