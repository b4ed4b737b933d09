# Forebay's workers and commands in one image. A stage is chosen by the command: `forebay worker redaction`.
#   docker build -t forebay .
# What was checked without a container engine, and what was not: docs/how-to/production.md.

FROM python:3.11.14-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src

# The locks are complete: --no-deps keeps pip from looking further. Wheels only: installing runs nobody's code.
COPY requirements-build.lock requirements-runtime.lock ./
RUN python -m venv /opt/forebay \
 && /opt/forebay/bin/pip install --no-deps --require-hashes --only-binary :all: -r requirements-runtime.lock \
 && python -m venv /opt/build \
 && /opt/build/bin/pip install --no-deps --require-hashes --only-binary :all: -r requirements-build.lock

COPY pyproject.toml README.md LICENSE forebay.yaml ./
COPY examples examples
COPY schemas schemas
COPY streams streams
COPY agents agents
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation -w /wheels . \
 && /opt/forebay/bin/pip install --no-deps /wheels/*.whl

# The sentence encoder comes along, so that a worker needs no network but its brokers, Redis and models.
ENV FOREBAY_CACHE_DIR=/opt/forebay/cache
RUN /opt/forebay/bin/python -c "from forebay_agents.embeddings import minilm; minilm()" \
 && rm -rf /opt/forebay/cache/artifacts

FROM python:3.11.14-slim-bookworm
RUN groupadd --gid 10001 forebay && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp forebay \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/forebay
COPY --from=build /opt/forebay /opt/forebay
COPY forebay.yaml /etc/forebay/forebay.yaml
ENV PATH=/opt/forebay/bin:$PATH \
    FOREBAY_CACHE_DIR=/opt/forebay/cache \
    FOREBAY_CONFIG=/etc/forebay/forebay.yaml \
    FOREBAY_WORKER_HOST=0.0.0.0 \
    FOREBAY_WORKER_PORT=8000 \
    HOME=/tmp \
    OMP_NUM_THREADS=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8000
CMD ["forebay", "--help"]
