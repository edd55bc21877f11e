#!/usr/bin/env bash
# Part of deploy.sh. Needs commands.sh, $root and $here.
# shellcheck disable=SC2034,SC2154

# Makes what Cloud Build needs, has it build the clone, and leaves the image by digest in $image.
build() {
  local repository="$region-docker.pkg.dev/$project/gcs-thumbnailer" staging_bucket="$project-gcs-thumbnailer-source"
  # Not the project's default account: in many organizations that one has no rights, elsewhere it has far too many.
  local builder="gcs-thumbnailer-build@$project.iam.gserviceaccount.com" tag commit tagged digest

  step "A place for the image and an account that builds it"
  finds gcloud artifacts repositories describe gcs-thumbnailer --location="$region" --project="$project" ||
    run gcloud artifacts repositories create gcs-thumbnailer --repository-format=docker --location="$region" \
      --project="$project" --description="Images of gcs-thumbnailer"
  make_private_bucket "$staging_bucket"
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
    echo "Building takes about ten minutes. The log: https://console.cloud.google.com/cloud-build/builds?project=$project"
    again run gcloud builds submit "$root" --project="$project" --config="$here/cloudbuild.yaml" \
      --substitutions="_IMAGE=$tagged" --service-account="projects/$project/serviceAccounts/$builder" \
      --gcs-source-staging-dir="gs://$staging_bucket/source" --suppress-logs || die "the build failed; see its log"
  fi
  answer digest gcloud artifacts docker images describe "$tagged" --project="$project" --format="value(image_summary.digest)"
  image="$repository/gcs-thumbnailer@$digest"
}
