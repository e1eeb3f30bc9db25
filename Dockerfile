# One image for every service; the command says which of them a container is:
#   docker build -t ertis .
#   docker build -t ertis-edge --build-arg EXTRAS=edge .      without database, Polars and FastAPI
ARG PYTHON=3.12

FROM node:22-slim AS console
WORKDIR /app
COPY console console
RUN cd console && npm ci && npm run build

FROM python:${PYTHON}-slim AS build
ARG EXTRAS=edge,replay,ingest,api
WORKDIR /app
RUN python -m venv /opt/ertis
COPY . .
COPY --from=console /app/api/static api/static
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/ertis/bin/pip install --editable ".[${EXTRAS}]"

FROM python:${PYTHON}-slim
RUN useradd --system --uid 10001 --no-create-home ertis \
    && install --directory --owner ertis /var/lib/ertis
COPY --from=build /opt/ertis /opt/ertis
COPY --from=build /app /app
ENV PATH=/opt/ertis/bin:$PATH \
    PYTHONUNBUFFERED=1
WORKDIR /app
USER ertis
VOLUME /var/lib/ertis
CMD ["python", "-m", "ingest", "--help"]
