#!/usr/bin/env bash
# Part of deploy.sh. Needs commands.sh, $root and $here.
# shellcheck disable=SC2034,SC2154

# Makes what Cloud Build needs, has it build the clone, and leaves the image by digest in $image.
build_image() {
  local repository="$region-docker.pkg.dev/$project/gcs-thumbnailer" staging_bucket="$project-gcs-thumbnailer-source"
  # Not the project's default account: in many organizations that one has no rights, elsewhere it has far too many.
  local builder="gcs-thumbnailer-build@$project.iam.gserviceaccount.com" tag commit tagged digest

  step "A place for the image and an account that builds it"
  finds gcloud artifacts repositories describe gcs-thumbnailer --location="$region" --project="$project" ||
    run gcloud artifacts repositories create gcs-thumbnailer --repository-format=docker --location="$region" \
      --project="$project" --description="Images of gcs-thumbnailer"
  run gcloud artifacts repositories set-cleanup-policies gcs-thumbnailer --location="$region" --project="$project" \
    --policy="$here/old-images.json"
  make_private_bucket "$staging_bucket"
  run gcloud storage buckets update "gs://$staging_bucket" --lifecycle-file="$here/old-sources.json"
  finds gcloud iam service-accounts describe "$builder" --project="$project" ||
    run gcloud iam service-accounts create "${builder%@*}" --project="$project" --display-name="gcs-thumbnailer: builds the image"
  again run gcloud artifacts repositories add-iam-policy-binding gcs-thumbnailer --location="$region" --project="$project" \
    --member="serviceAccount:$builder" --role=roles/artifactregistry.writer --format=none
  again run gcloud storage buckets add-iam-policy-binding "gs://$staging_bucket" \
    --member="serviceAccount:$builder" --role=roles/storage.objectViewer --format=none
  again run gcloud projects add-iam-policy-binding "$project" \
    --member="serviceAccount:$builder" --role=roles/logging.logWriter --condition=None --format=none

  step "Image"
  # The commit names the image, so that a second run of the same sources doesn't build them again.
  tag="local-$(date -u +%Y%m%d-%H%M%S)"
  if commit="$(git -C "$root" rev-parse --short=12 HEAD 2>/dev/null)" && [ -z "$(git -C "$root" status --porcelain)" ]; then
    tag="$commit"
  fi
  tagged="$repository/gcs-thumbnailer:$tag"
  if ! finds gcloud artifacts docker images describe "$tagged" --project="$project"; then
    echo "Building takes about ten minutes. The log: https://console.cloud.google.com/cloud-build/builds;region=$region?project=$project"
    again run gcloud builds submit "$root" --project="$project" --region="$region" --config="$here/cloudbuild.yaml" \
      --substitutions="_IMAGE=$tagged" --service-account="projects/$project/serviceAccounts/$builder" \
      --gcs-source-staging-dir="gs://$staging_bucket/source" --suppress-logs || die "the build failed; see its log"
  fi
  answer digest gcloud artifacts docker images describe "$tagged" --project="$project" --format="value(image_summary.digest)"
  image="$repository/gcs-thumbnailer@$digest"
}

# Takes the image of the release that this clone is at: what is configured here is then what that image knows.
released_image() {
  local tag=TAG origin
  step "The release's image"
  origin="$(git -C "$root" remote get-url origin 2>/dev/null || true)"
  case "$origin" in git@*:*) origin="https://$(tr : / <<<"${origin#git@}")" ;; esac
  $dry_run || tag="$(git -C "$root" describe --tags --exact-match 2>/dev/null)" ||
    die "this clone isn't at a release: check one out, or give --build or --image"
  answer image curl -fsSL "${origin%.git}/releases/download/$tag/image.txt"
  $dry_run && image=REGISTRY.example/IMAGE@sha256:DIGEST
  case "$image" in *@sha256:*) ;; *) die "the release $tag names no image: $image" ;; esac
}

# Cloud Run pulls from Artifact Registry and Docker Hub alone: a remote repository stands for any other registry.
pullable_image() {
  local host="${image%%/*}"
  case "$host" in *.pkg.dev | gcr.io | *.gcr.io | docker.io) return ;; *.*) ;; *) return ;; esac
  finds gcloud artifacts repositories describe gcs-thumbnailer-releases --location="$region" --project="$project" ||
    run gcloud artifacts repositories create gcs-thumbnailer-releases --repository-format=docker --location="$region" \
      --project="$project" --mode=remote-repository --remote-docker-repo="https://$host"
  image="$region-docker.pkg.dev/$project/gcs-thumbnailer-releases/${image#*/}"
}
