# The service with its workers and the command line:
#   docker build -t bitwright . && docker run --network host -v bitwright:/data bitwright
# The service listens on loopback only, since it trusts whoever reaches it: hence the host's network.
# A worker for a service elsewhere, which its flags name:
#   docker build --target worker -t bitwright-worker . && docker run bitwright-worker --join HOST:7071 …
# One for NVIDIA cards (a card for each container):
#   docker build --target worker-cuda --build-arg CUDA=ON -t bitwright-worker-cuda .
#   docker run --gpus device=0 bitwright-worker-cuda --join HOST:7071 …
# Where a service has both, all images are built with CUDA=ON: then all hold the same program, which processors and cards
# share what is not numeric in.
ARG CUDA=OFF

FROM debian:12 AS source
WORKDIR /src
COPY deploy/apt-build.txt deploy/
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive xargs apt-get install -q -y --no-install-recommends < deploy/apt-build.txt \
 && rm -rf /var/lib/apt/lists/*
COPY . .

FROM source AS build-OFF
RUN cmake --preset release -DBITWRIGHT_TESTS=OFF -DBITWRIGHT_CUDA=OFF \
 && cmake --build --preset release --target bitwright bitwrightd bitwright-worker

# NVIDIA's images give the compiler and the libraries; what else the programs stand on is Debian's.
FROM nvidia/cuda:13.0.2-devel-ubuntu24.04 AS toolkit
FROM nvidia/cuda:13.0.2-runtime-ubuntu24.04 AS libraries

FROM source AS build-ON
COPY --from=toolkit /usr/local/cuda-13.0 /usr/local/cuda
RUN cmake --preset release -DBITWRIGHT_TESTS=OFF -DBITWRIGHT_CUDA=ON -DCMAKE_CUDA_COMPILER=/usr/local/cuda/bin/nvcc \
 && cmake --build --preset release --target bitwright bitwrightd bitwright-worker

FROM build-$CUDA AS build

# What all images begin with; their user has a number, since Kubernetes trusts no name.
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

# With cuBLAS, cuSOLVER and what those load; the driver comes from the host, by NVIDIA's container toolkit.
FROM run AS run-cuda
COPY --from=libraries /usr/local/cuda-13.0/lib64/libcublas.so.13 /usr/local/cuda-13.0/lib64/libcublasLt.so.13 \
     /usr/local/cuda-13.0/lib64/libcusolver.so.12 /usr/local/cuda-13.0/lib64/libcusparse.so.12 \
     /usr/local/cuda-13.0/lib64/libnvJitLink.so.13 /usr/local/lib/
RUN ldconfig

FROM run-cuda AS worker-cuda
COPY --from=build-ON /src/build/bin/bitwright-worker /usr/local/bin/
COPY deploy/containers/worker-health /usr/local/bin/
USER 7071:7071
ENV XDG_CACHE_HOME=/cache NVIDIA_DRIVER_CAPABILITIES=compute
VOLUME /cache
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["worker-health"]
ENTRYPOINT ["bitwright-worker", "--device", "cuda"]

FROM run AS server
COPY --from=build /src/build/bin/bitwright /src/build/bin/bitwrightd /src/build/bin/bitwright-worker /usr/local/bin/
COPY deploy/containers/server-health /usr/local/bin/
USER 7071:7071
VOLUME /data
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["server-health"]
ENTRYPOINT ["bitwrightd", "--data-dir", "/data", "--listen", "127.0.0.1:7071"]
