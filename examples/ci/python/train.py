"""Train in a pipeline, by `sampan.client`: submit, print the output, end with the job's exit code, cancel where the pipeline is aborted.

python train.py train.yaml NAME
"""

import signal
import sys

from sampan.client import Client, ClientError


def main(manifest: str, name: str) -> int:
    """Return the exit code: 0 succeeded, 1 failed, 2 rejected, 130 aborted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # pipelines are aborted by SIGTERM more often than by SIGINT
    client = Client.from_environment()
    job = client.submit(manifest, name=name)
    try:
        for line in job.logs(follow=True):
            print(line, flush=True)
        outcome = job.wait()
    except KeyboardInterrupt:
        job.cancel(wait=False)
        print(f"{job.name}: cancelled", file=sys.stderr)
        return 130
    print(f"{job.name}: {outcome.ending} {outcome.reason}", file=sys.stderr)
    return outcome.exit_code


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except ClientError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
