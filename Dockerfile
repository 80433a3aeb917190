# Two images from one file: `docker build --target backend .` and `docker build --target worker .`.
# The package indexes are whatever pip and npm are configured for; the locks hold hashes, not addresses.

FROM node:22-slim AS assets
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --include=dev
COPY web ./web
RUN npm run build

FROM python:3.13-slim AS packages
ENV PATH=/venv/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
WORKDIR /app
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY arcane ./arcane
COPY datasources ./datasources
COPY worker ./worker
COPY web ./web
# Editable, because migrations lie beside the packages, not in them. Compiled here: the images run read-only.
RUN pip install --no-deps --no-build-isolation -e . \
    && python -m compileall -q /app /venv

FROM python:3.13-slim AS runtime
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ARCANE_LOG__JSON_LINES=true
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin arcane
WORKDIR /app
COPY --from=packages /venv /venv
COPY pyproject.toml ./

FROM runtime AS backend
COPY alembic ./alembic
COPY --from=packages /app/arcane ./arcane
COPY --from=packages /app/datasources ./datasources
COPY --from=packages /app/web ./web
COPY --from=assets /app/web/static/dist ./web/static/dist
COPY docs/reference ./docs/reference
ENV ARCANE_SERVER__HOST=0.0.0.0
EXPOSE 8085
USER arcane
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8085/health/ready', timeout=2)"]
CMD ["python", "-m", "arcane.local.serve"]

# The worker's image holds only what a worker may import (R2): no adapter, no database code, no pages.
FROM runtime AS worker
COPY --from=packages /app/arcane/__init__.py ./arcane/__init__.py
COPY --from=packages /app/arcane/messaging ./arcane/messaging
COPY --from=packages /app/arcane/model ./arcane/model
COPY --from=packages /app/arcane/kit ./arcane/kit
COPY --from=packages /app/arcane/prompting ./arcane/prompting
COPY --from=packages /app/worker ./worker
ENV ARCANE_WORKER__HEALTH_HOST=0.0.0.0
EXPOSE 8086
USER arcane
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8086/health/ready', timeout=2)"]
CMD ["python", "-m", "worker.main"]
