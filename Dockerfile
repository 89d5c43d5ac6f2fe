# The image of hubindex: the locked dependencies and the program in a virtual environment, run by an ordinary user.
FROM python:3.13.16-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements/run.txt requirements/build.txt requirements/
RUN python -m venv /opt/hubindex \
    && /opt/hubindex/bin/pip install --require-hashes --only-binary :all: -r requirements/run.txt \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --only-binary :all: -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY hubindex/ hubindex/
COPY migrations/ migrations/
RUN /opt/build/bin/python -m hatchling build --target wheel --directory dist \
    && /opt/hubindex/bin/pip install --no-deps --no-index dist/hubindex-*.whl

FROM python:3.13.16-slim-bookworm
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="hubindex" \
      org.opencontainers.image.description="Search Docker Hub offline, and know which image a tag pointed to" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/python:3.13.16-slim-bookworm"
RUN groupadd --gid 10001 hubindex \
    && useradd --uid 10001 --gid 10001 --create-home --home-dir /var/lib/hubindex hubindex
COPY --from=build /opt/hubindex /opt/hubindex
ENV PATH=/opt/hubindex/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HUBINDEX_DB=/var/lib/hubindex/index.db
USER 10001:10001
WORKDIR /var/lib/hubindex
VOLUME /var/lib/hubindex
ENTRYPOINT ["hubindex"]
CMD ["--help"]
