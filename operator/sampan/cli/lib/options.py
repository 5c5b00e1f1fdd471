"""The options every verb shares, under kubectl's own names. Nothing that connects or prints lives here."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from sampan.client.access.target import Target

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def target_options(*, all_namespaces: bool = True, everywhere: bool = False, default: str = "the context's") -> Decorator:
    """Add --kubeconfig, --context, -n and, where it makes sense, -A; the verb gets them as one `target: Target`.

    `everywhere`: without -n all namespaces are meant, for what lives in other namespaces than those of whoever asks.
    `default`: what the help says is meant without -n, where the verb itself decides that.
    """
    told = "all" if everywhere else default

    def decorate(verb: Callable[..., Any]) -> Callable[..., Any]:
        @click.option(
            "--kubeconfig",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Path of the kubeconfig; default: KUBECONFIG, then ~/.kube/config.",
        )
        @click.option("--context", metavar="NAME", help="Context of the kubeconfig.")
        @click.option("-n", "--namespace", metavar="NAME", help=f"Namespace; default: {told}.")
        @wraps(verb)
        def wrapper(
            *args: Any, kubeconfig: Path | None, context: str | None, namespace: str | None, all_namespaces: bool = False, **kwargs: Any
        ) -> Any:
            if namespace and all_namespaces:
                raise click.UsageError("-n and -A exclude each other")
            all_namespaces = all_namespaces or (everywhere and not namespace)
            target = Target(kubeconfig=kubeconfig, context=context, namespace=namespace, all_namespaces=all_namespaces)
            return verb(*args, target=target, **kwargs)

        if all_namespaces:
            return click.option("-A", "--all-namespaces", is_flag=True, help="All namespaces.")(wrapper)
        return wrapper

    return decorate


def output_option(*formats: str) -> Decorator:
    """Add -o with the given formats, the first of them the default; the verb gets `output: str`."""
    return click.option("-o", "--output", type=click.Choice(formats), default=formats[0], show_default=True, help="Output format.")
