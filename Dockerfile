# The service with its workers and the command line:
#   docker build -t bitwright . && docker run --network host -v bitwright:/data bitwright
# The service listens on loopback only, since it trusts whoever reaches it: hence the host's network.
# A worker for a service elsewhere, which its flags name (there is no image with CUDA, since no worker computes on it):
#   docker build --target worker -t bitwright-worker . && docker run bitwright-worker --join HOST:7071 …
FROM debian:12 AS build
WORKDIR /src
COPY deploy/apt-build.txt deploy/
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive xargs apt-get install -q -y --no-install-recommends < deploy/apt-build.txt \
 && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake --preset release -DBITWRIGHT_TESTS=OFF \
 && cmake --build --preset release --target bitwright bitwrightd bitwright-worker

# What both images begin with; their user has a number, since Kubernetes trusts no name.
FROM debian:12-slim AS run
COPY deploy/apt-runtime.txt /tmp/
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive xargs apt-get install -q -y --no-install-recommends < /tmp/apt-runtime.txt \
 && rm -rf /var/lib/apt/lists/* /tmp/apt-runtime.txt \
 && groupadd --gid 7071 bitwright \
 && useradd --uid 7071 --gid bitwright --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin bitwright \
 && install -d -o bitwright -g bitwright -m 0700 /data /cache

FROM run AS worker
COPY --from=build /src/build/bin/bitwright-worker /usr/local/bin/
COPY deploy/containers/worker-health /usr/local/bin/
USER 7071:7071
ENV XDG_CACHE_HOME=/cache
VOLUME /cache
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["worker-health"]
ENTRYPOINT ["bitwright-worker"]

FROM run AS server
COPY --from=build /src/build/bin/bitwright /src/build/bin/bitwrightd /src/build/bin/bitwright-worker /usr/local/bin/
COPY deploy/containers/server-health /usr/local/bin/
USER 7071:7071
VOLUME /data
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["server-health"]
ENTRYPOINT ["bitwrightd", "--data-dir", "/data", "--listen", "127.0.0.1:7071"]
