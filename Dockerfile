# The agent's image: Node, one bundle, and nothing else that runs. `npm run image` builds it where no registry can be reached.
# BUILD_BASE needs Node, npm and strip; BASE the C and C++ libraries and the certificates of public authorities.
ARG BUILD_BASE=docker.io/library/node:26.10.0-trixie
ARG BASE=gcr.io/distroless/cc-debian13

FROM ${BUILD_BASE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-fund --no-audit
COPY LICENSE ./
COPY src src
COPY scripts scripts
ARG SOURCE_DATE_EPOCH=0
RUN node --disable-warning=ExperimentalWarning scripts/build.ts \
 && node --disable-warning=ExperimentalWarning scripts/image-root.ts /image

FROM ${BASE}
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="tcpretrans" \
      org.opencontainers.image.description="Every TCP retransmit of a node, with the pods at both ends, as OpenTelemetry logs and metrics" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image/ /
# The kernel's tracefs files are root's.
USER 0:0
WORKDIR /
# As bin/tcpretrans has it: no inspector on SIGUSR1, a young generation that a storm's tick fits in and that every event begins in, one helper thread, which takes no part in scavenges, no compiler for loops that run once, and a collection that can be asked for.
ENTRYPOINT ["/usr/bin/node", "--disable-warning=ExperimentalWarning", "--disable-sigusr1", "--max-semi-space-size=8", "--no-allocation-site-pretenuring", "--v8-pool-size=1", "--no-parallel-scavenge", "--no-use-osr", "--expose-gc", "/opt/tcpretrans/tcpretrans.js"]
CMD ["agent"]
