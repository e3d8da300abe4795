# The service with its workers and the command line:
#   docker build -t bitwright . && docker run --network host -v bitwright:/data bitwright
# The service listens on loopback only, since it trusts whoever reaches it: hence the host's network.
FROM debian:12 AS build
WORKDIR /src
COPY deploy/apt-build.txt deploy/
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive xargs apt-get install -q -y --no-install-recommends < deploy/apt-build.txt \
 && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake --preset release -DBITWRIGHT_TESTS=OFF \
 && cmake --build --preset release --target bitwright bitwrightd bitwright-worker

FROM debian:12-slim
COPY deploy/apt-runtime.txt /tmp/
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive xargs apt-get install -q -y --no-install-recommends < /tmp/apt-runtime.txt \
 && rm -rf /var/lib/apt/lists/* /tmp/apt-runtime.txt \
 && useradd --system --home-dir /data --shell /usr/sbin/nologin bitwright \
 && install -d -o bitwright -g bitwright -m 0700 /data
COPY --from=build /src/build/bin/bitwright /src/build/bin/bitwrightd /src/build/bin/bitwright-worker /usr/local/bin/
USER bitwright
VOLUME /data
ENTRYPOINT ["bitwrightd", "--data-dir", "/data", "--listen", "127.0.0.1:7071"]
