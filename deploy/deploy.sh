#!/usr/bin/env bash
set -euo pipefail

usage() {
  cat <<'END'
usage: deploy/deploy.sh [--dry-run] [--yes] [--name NAME] PROJECT REGION SOURCE TARGET [-- TERRAFORM-OPTION...]

From a project id to the first thumbnail: builds the image, makes everything with Terraform, uploads a sample photo and
waits for its thumbnail. Safe to run again: a second run changes what has changed and nothing else.

  PROJECT   id of a project with billing
  REGION    where the service runs, for example europe-west1
  SOURCE    bucket with the pictures; made if the project has none of that name
  TARGET    bucket for the thumbnails; made likewise; may be SOURCE itself

  --dry-run    print each command and run none (as on a project where nothing exists yet)
  --yes        don't ask before Terraform deletes or replaces something
  --name NAME  name of the deployment, and of everything made (gcs-thumbnailer)

What follows -- goes to terraform plan, for example: -- -var=max_instances=3. Variables: deploy/README.md.
END
}

die() {
  echo "deploy.sh: $*" >&2
  exit 1
}

dry_run=false yes=false name=gcs-thumbnailer positional=()
while [ $# -gt 0 ]; do
  case "$1" in
    --dry-run) dry_run=true ;;
    --yes) yes=true ;;
    --name)
      [ $# -ge 2 ] || die "--name needs a value"
      name="$2"
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    --)
      shift
      break
      ;;
    -*) die "unknown option $1 (see --help)" ;;
    *) positional+=("$1") ;;
  esac
  shift
done
if [ "${#positional[@]}" -ne 4 ]; then
  usage >&2
  exit 2
fi
project="${positional[0]}" region="${positional[1]}" source="${positional[2]}" target="${positional[3]}"
terraform_options=("$@")
for bucket in "$source" "$target"; do
  case "$bucket" in gs://* | */*) die "give the bucket's name alone, not $bucket" ;; esac
done

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(dirname "$here")"
repository="$region-docker.pkg.dev/$project/gcs-thumbnailer"
builder="gcs-thumbnailer-build@$project.iam.gserviceaccount.com"
state_bucket="$project-gcs-thumbnailer-state"
staging_bucket="$project-gcs-thumbnailer-source"
plan="$here/$name.tfplan"

step() {
  printf '\n== %s\n' "$*"
}

show() {
  local mark="$1" line
  shift
  printf -v line ' %q' "$@"
  printf '%s%s\n' "$mark" "$line"
}

# Runs a command that changes something, and says so.
run() {
  show + "$@"
  $dry_run || "$@"
}

# Succeeds if a command that only looks finds what it looks for. In a dry run nothing is ever there.
finds() {
  show '?' "$@"
  $dry_run && return 1
  "$@" >/dev/null 2>&1
}

# Only buckets of this project count: a bucket of that name in a stranger's hands must not receive anything. gcloud's
# filter may find longer names too.
has_bucket() {
  local list=(gcloud storage buckets list --project="$project" --filter="name:$1" --format="value(name)")
  show '?' "${list[@]}"
  $dry_run && return 1
  local found
  found="$("${list[@]}")" || die "can't list the buckets of $project"
  grep -Fxq -- "$1" <<<"$found"
}

make_private_bucket() {
  has_bucket "$1" ||
    run gcloud storage buckets create "gs://$1" --project="$project" --location="$region" \
      --uniform-bucket-level-access --public-access-prevention
}

step "Tools and login"
if $dry_run; then
  echo "(dry run: nothing is asked and nothing is changed)"
else
  for tool in terraform gcloud; do
    command -v "$tool" >/dev/null || die "$tool is missing; deploy/README.md says where to get it"
  done
fi
finds gcloud auth print-access-token || $dry_run || die "nobody is logged in: run gcloud auth login"
finds gcloud projects describe "$project" || $dry_run || die "no project $project, or no right to see it"

step "APIs"
run gcloud services enable artifactregistry.googleapis.com cloudbuild.googleapis.com cloudresourcemanager.googleapis.com \
  cloudscheduler.googleapis.com iam.googleapis.com logging.googleapis.com monitoring.googleapis.com \
  pubsub.googleapis.com run.googleapis.com storage.googleapis.com --project="$project"
# Pub/Sub's own account must exist before it can be given a right.
run gcloud beta services identity create --service=pubsub.googleapis.com --project="$project" --quiet

step "A place for the image and an account that builds it"
finds gcloud artifacts repositories describe gcs-thumbnailer --location="$region" --project="$project" ||
  run gcloud artifacts repositories create gcs-thumbnailer --repository-format=docker --location="$region" \
    --project="$project" --description="Images of gcs-thumbnailer"
make_private_bucket "$staging_bucket"
make_private_bucket "$state_bucket"
run gcloud storage buckets update "gs://$state_bucket" --versioning
# Not the project's default account: in many organizations that one has no rights, elsewhere it has far too many.
new_builder=false
if ! finds gcloud iam service-accounts describe "gcs-thumbnailer-build@$project.iam.gserviceaccount.com" --project="$project"; then
  run gcloud iam service-accounts create gcs-thumbnailer-build --project="$project" \
    --display-name="gcs-thumbnailer: builds the image"
  new_builder=true
  echo "Waiting for a minute: a new account isn't known everywhere at once."
  run sleep 60
fi
run gcloud artifacts repositories add-iam-policy-binding gcs-thumbnailer --location="$region" --project="$project" \
  --member="serviceAccount:$builder" --role=roles/artifactregistry.writer --format=none
run gcloud storage buckets add-iam-policy-binding "gs://$staging_bucket" \
  --member="serviceAccount:$builder" --role=roles/storage.objectViewer --format=none
run gcloud projects add-iam-policy-binding "$project" \
  --member="serviceAccount:$builder" --role=roles/logging.logWriter --condition=None --format=none

step "Image"
# The commit names the image, so that a second run of the same sources doesn't build them again.
tag="local-$(date -u +%Y%m%d-%H%M%S)"
if commit="$(git -C "$root" rev-parse --short=12 HEAD 2>/dev/null)" &&
  [ -z "$(git -C "$root" status --porcelain)" ]; then
  tag="$commit"
fi
image="$repository/gcs-thumbnailer:$tag"
if ! finds gcloud artifacts docker images describe "$image" --project="$project"; then
  if $new_builder; then
    echo "Waiting for a minute: the new account's rights take a while to arrive."
    run sleep 60
  fi
  echo "Building takes about ten minutes. The log: https://console.cloud.google.com/cloud-build/builds?project=$project"
  run gcloud builds submit "$root" --project="$project" --config="$here/cloudbuild.yaml" \
    --substitutions="_IMAGE=$image" --service-account="projects/$project/serviceAccounts/$builder" \
    --gcs-source-staging-dir="gs://$staging_bucket/source" --suppress-logs ||
    die "the build failed; see its log. If it couldn't read its sources, its rights hadn't arrived: run this again"
fi
show '?' gcloud artifacts docker images describe "$image" --project="$project" --format="value(image_summary.digest)"
digest=sha256:DIGEST
if ! $dry_run; then
  digest="$(gcloud artifacts docker images describe "$image" --project="$project" --format="value(image_summary.digest)")"
  case "$digest" in sha256:*) ;; *) die "the image $image has no digest" ;; esac
fi

step "Terraform"
# Terraform acts as the person that gcloud is logged in as, and on this project's quota.
if ! $dry_run; then
  GOOGLE_OAUTH_ACCESS_TOKEN="$(gcloud auth print-access-token)"
  export GOOGLE_OAUTH_ACCESS_TOKEN
fi
export USER_PROJECT_OVERRIDE=true GOOGLE_BILLING_PROJECT="$project" TF_IN_AUTOMATION=1
run terraform -chdir="$here" init -input=false -reconfigure \
  -backend-config="bucket=$state_bucket" -backend-config="prefix=$name"

known=""
show '?' terraform -chdir="$here" state list
if ! $dry_run && ! known="$(terraform -chdir="$here" state list 2>&1)"; then
  # A first run has no state; any other complaint is one.
  case "$known" in *"No state file"*) known="" ;; *) die "can't read the state: $known" ;; esac
fi

# A bucket that Terraform made stays Terraform's; one that was there before is left to its owner.
makes() {
  case "$known" in *"google_storage_bucket.$1[0]"*) echo true && return ;; esac
  if has_bucket "$2" >&3; then echo false; else echo true; fi
}
exec 3>&1
create_source="$(makes source "$source")"
create_target=true
[ "$source" = "$target" ] || create_target="$(makes target "$target")"

plan_and_apply() {
  run terraform -chdir="$here" plan -input=false -out="$plan" \
    -var="project=$project" -var="region=$region" -var="name=$name" -var="image=$repository/gcs-thumbnailer@$digest" \
    -var="source_bucket=$source" -var="create_source_bucket=$create_source" \
    -var="target_bucket=$target" -var="create_target_bucket=$create_target" \
    ${terraform_options[@]+"${terraform_options[@]}"} || return
  confirm_deletions || exit 1
  run terraform -chdir="$here" apply -input=false "$plan"
}

# Making and changing needs no question; deleting does, and replacing is deleting.
confirm_deletions() {
  $dry_run || $yes && return
  local changes answer
  changes="$(terraform -chdir="$here" show -json "$plan")" || return
  [[ "$changes" =~ \"actions\":\[[^]]*\"delete\" ]] || return 0
  echo "This plan deletes or replaces something (see above)."
  [ -t 0 ] || die "read the plan above, then run again with --yes"
  read -r -p "Go on? [y/N] " answer
  [ "$answer" = y ] || die "stopped; nothing was changed"
}

trap 'rm -f "$plan"' EXIT
if ! plan_and_apply; then
  echo "Once more in a minute: rights that were just given take a while to arrive."
  run sleep 60
  plan_and_apply || die "terraform failed; see above. It is safe to run this again"
fi

step "First thumbnail"
prefix=thumbnails/
if ! $dry_run; then
  thumbnails="$(terraform -chdir="$here" output -raw thumbnails)"
  prefix="${thumbnails#"gs://$target/"}"
fi
sample="gs://$source/gcs-thumbnailer-sample.jpg"
thumbnail="gs://$target/${prefix}gcs-thumbnailer-sample.jpg"
if finds gcloud storage objects describe "$thumbnail"; then
  run gcloud storage rm "$thumbnail"
fi
# A new notification can take half a minute to start, and what is uploaded before that announces nothing: hence the
# repeated upload.
made=false
for _ in 1 2 3 4 5 6 7 8 9 10; do
  run gcloud storage cp "$root/tests/photos/launch.jpg" "$sample"
  for _ in 1 2 3 4 5 6; do
    if finds gcloud storage objects describe "$thumbnail"; then
      made=true
      break 2
    fi
    run sleep 5
    $dry_run && break 2
  done
done
if $dry_run; then
  printf '\n(the last three commands are repeated, for up to five minutes, until the thumbnail is there)\n'
  exit 0
fi
if ! $made; then
  gcloud logging read "resource.labels.service_name=\"$name\" AND severity>=WARNING" --project="$project" \
    --freshness=15m --limit=20 --format="value(severity,jsonPayload.reason,jsonPayload.message,textPayload)" || true
  die "no thumbnail after five minutes. Everything is made; the lines above, if any, say why (deploy/OPERATIONS.md)"
fi

printf '\nThe first thumbnail: %s\n' "$thumbnail"
echo "From now on, each picture in gs://$source gets one. Logs and charts: dashboard \"$name\" in Cloud Monitoring."
echo "The sample and its thumbnail may be deleted: gcloud storage rm $sample $thumbnail"
