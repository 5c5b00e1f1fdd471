# The image of the operator, the publisher, the uninstall guard and the command line, for whoever has Docker or podman: `make image`.
# BASE is any Debian-like image with Python 3.11 or newer and venv. Without an engine `make image` builds the same from Debian's packages.
# What must never live here: a package that operator/requirements-runtime.lock does not pin.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
COPY operator/requirements-runtime.lock /src/operator/
RUN python3 -m venv /opt/sampan \
 && /opt/sampan/bin/pip install --no-cache-dir --no-compile --only-binary :all: --require-hashes -r /src/operator/requirements-runtime.lock
COPY dist/sampan-*.whl /src/
RUN /opt/sampan/bin/pip install --no-cache-dir --no-compile --no-deps --no-index /src/sampan-*.whl \
 && /opt/sampan/bin/pip uninstall --quiet --yes pip \
 && /opt/sampan/bin/python -c 'import pathlib, sysconfig; from sampan.release.python import leave_out; leave_out(pathlib.Path(sysconfig.get_path("purelib")))' \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/sampan/lib

FROM ${BASE}
ARG VERSION REVISION CREATED
LABEL org.opencontainers.image.title="sampan" \
      org.opencontainers.image.description="Federated scheduling of AI jobs over many providers' clusters and many vendors' accelerators" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=build /opt/sampan /opt/sampan
RUN mkdir -p /var/lib/sampan && chown 65532:65532 /var/lib/sampan
ENV PATH=/opt/sampan/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 65532:65532
WORKDIR /
EXPOSE 8080 8443
CMD ["sampan", "operator", "run"]
