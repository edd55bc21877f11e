# With --sbom, BuildKit lists the crates of Cargo.lock too, not only the base's packages.
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true

# Both bases are of one Debian, so that what is compiled on the one finds its C library in the other. Dependabot moves the
# digests.
FROM rust:1.95-slim-trixie@sha256:e14e87345b4d5964ddcc3491d27ee046a0f23820f340c3c1e24da6880141f7c0 AS build
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
# The dependencies are a layer of their own, made with an empty program that is cleaned away again: cargo goes by time
# stamps, and would take what it made of that program for made of sources that are older.
RUN mkdir src && echo 'fn main() {}' >src/main.rs && touch src/lib.rs \
    && cargo build --locked --profile dist --bin gcs-thumbnailer \
    && cargo clean --locked --profile dist --package gcs-thumbnailer \
    && rm -r src
COPY src src
RUN cargo build --locked --profile dist --bin gcs-thumbnailer

FROM gcr.io/distroless/cc-debian13:nonroot@sha256:54df941ed0d06a1bd95ef5e0ce391fd8d9f94b64782dc9a60062727849ee3f97
COPY --from=build /build/target/dist/gcs-thumbnailer /usr/local/bin/gcs-thumbnailer
USER 65532:65532
ENV PORT=8080
# One heap that keeps up to 64 MiB of what is freed: else the memory of a source comes from the kernel anew for each event.
ENV GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc.malloc.mmap_threshold=16777216:glibc.malloc.trim_threshold=67108864
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/gcs-thumbnailer"]
