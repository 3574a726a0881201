# The one image: `docker build -t auth-example:1.0.0 .`
#
# To pin the base image by content too, append its digest to the next FROM line, the only one that
# names it:
#   docker buildx imagetools inspect python:3.13-slim-bookworm --format '{{.Manifest.Digest}}'
FROM python:3.13-slim-bookworm AS base

# The working folder is writable. PYTHONSAFEPATH prevents imports from it.
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/app \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1


FROM base AS build

WORKDIR /build
COPY requirements.lock ./
# Exact pins with hashes, and only wheels, so that no package is compiled.
RUN python -m venv --without-pip /opt/venv \
    && python -m pip --python /opt/venv/bin/python install \
        --no-cache-dir --disable-pip-version-check --only-binary :all: \
        --require-hashes -r requirements.lock


FROM base

LABEL org.opencontainers.image.title="auth-example" \
    org.opencontainers.image.description="Passkey registration and login" \
    org.opencontainers.image.licenses="MIT"

# The uid is fixed for volumes and `runAsNonRoot`. The image contains no pip.
RUN groupadd --gid 10001 service \
    && useradd --uid 10001 --gid service --no-log-init --no-create-home --home-dir /data \
        --shell /usr/sbin/nologin service \
    && install --directory --owner=service --group=service --mode=0750 /data \
    && python -m pip uninstall --yes --root-user-action=ignore pip

COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH

# The files that .dockerignore lists. They belong to root: the service cannot change them.
COPY . /app
RUN chmod -R a+rX,go-w /app

# The folder of the database and the log, without PostgreSQL. The service writes nowhere else.
WORKDIR /data
VOLUME ["/data"]

USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM

HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["python", "-I", "-c", \
    "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=2); c.request('GET', '/livez'); raise SystemExit(c.getresponse().status != 200)"]

# The keep-alive time is longer than that of the proxy. Otherwise the proxy would sometimes send a
# request into a closed connection. On SIGTERM running requests have 20 seconds, so give
# the container 30.
CMD ["python", "-m", "uvicorn", "main:app", "--app-dir", "/app", \
    "--host", "0.0.0.0", "--port", "8000", \
    "--no-proxy-headers", "--no-server-header", "--no-access-log", \
    "--timeout-keep-alive", "75", "--timeout-graceful-shutdown", "20"]
