# Both bases can be pinned: --build-arg RUST_IMAGE=rust:1.95-slim-bookworm@sha256:…
ARG RUST_IMAGE=rust:1.95-slim-bookworm
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot
# With --sbom, BuildKit lists the crates of Cargo.lock too, not only the base's packages.
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true

FROM ${RUST_IMAGE} AS build
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

FROM ${BASE_IMAGE}
COPY --from=build /build/target/dist/gcs-thumbnailer /usr/local/bin/gcs-thumbnailer
USER 65532:65532
ENV PORT=8080
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/gcs-thumbnailer"]
