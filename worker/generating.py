"""Jobs that ask a model: the prompt is filled with the job's inputs here, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

import anyio.to_thread

from arcane.messaging.generation import ModelSpec, Usage
from arcane.messaging.jobs import GenerateSpec, JobError
from arcane.prompting.errors import TemplateError
from arcane.prompting.render import render
from worker.executors import Done, JobFailed, Work
from worker.llm.asking import Ask, Caller, Secrets
from worker.llm.errors import ModelError
from worker.llm.models import Models


@dataclass(frozen=True, slots=True)
class Generate:
    """Executes a GenerateSpec."""

    models: Models

    async def run(self, spec: GenerateSpec, work: Work) -> Done:
        """Returns what the model answered. Raises JobFailed."""
        try:
            messages = await anyio.to_thread.run_sync(render, spec.prompt, work.inputs)
            ask = Ask(
                messages=messages,
                tools=spec.prompt.tools,
                tool_choice=spec.prompt.tool_choice,
                schema=spec.prompt.response_schema,
                parameters=spec.prompt.parameters,
            )
            return Done(generated=await self.models.generate(caller_of(work), spec.model, ask))
        except TemplateError as exc:
            raise JobFailed.because("template", str(exc)) from exc
        except ModelError as exc:
            raise job_failed(exc) from exc


def caller_of(work: Work) -> Caller:
    """Returns on whose behalf the models of a job are called."""

    async def secrets(spec: ModelSpec) -> Secrets:
        return await work.keys.of(spec.configuration)

    return Caller(work.organisation, secrets, work.deadline)


def job_failed(exc: ModelError, usage: Usage | None = None) -> JobFailed:
    """Returns the failure of a job whose model failed; the provider's own words may hold content and stay out."""
    error = JobError(kind=exc.cause.value, message=exc.message, usage=usage or Usage())
    return JobFailed(error, retry=exc.later)
