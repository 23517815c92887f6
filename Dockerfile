# The service as an image: built from the lock, started as a user of its own, with no secret in it.
FROM python:3.11-slim AS build
# An index of your own, for the build alone; nothing of it stays in the image.
ARG PIP_INDEX_URL
ARG PIP_CERT
ARG PIP_FIND_LINKS
ARG PIP_DEFAULT_TIMEOUT
WORKDIR /srv/app
COPY requirements-build.lock requirements.lock ./
RUN python -m venv /opt/venv \
 && /opt/venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes \
    -r requirements-build.lock -r requirements.lock
COPY pyproject.toml LICENSE ./
COPY migrations migrations
COPY openapi openapi
COPY app app
# The source tree stays whole, since the migrations stand beside the package. What only installs others is taken out again.
RUN /opt/venv/bin/python -m pip install --no-cache-dir --no-index --no-deps --no-build-isolation --editable . \
 && /opt/venv/bin/python -m pip uninstall --yes --quiet setuptools pip \
 && /opt/venv/bin/python -m compileall -q app migrations \
 && chmod -R a+rX /srv/app /opt/venv

FROM python:3.11-slim
RUN groupadd --gid 10001 evidence \
 && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin evidence \
 && install -d -o 10001 -g 10001 -m 0700 /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/app /srv/app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    EVIDENCE_HOME=/data \
    EVIDENCE_HOST=0.0.0.0 \
    EVIDENCE_PORT=8000
USER 10001:10001
WORKDIR /srv/app
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, http.client as h; c = h.HTTPConnection('127.0.0.1', int(os.environ['EVIDENCE_PORT']), timeout=2); c.request('GET', '/healthz'); exit(c.getresponse().status != 200)"]
CMD ["evidence", "serve"]
