#!/usr/bin/env bash
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(dirname "$here")"
# shellcheck source=deploy/commands.sh
. "$here/commands.sh"
# shellcheck source=deploy/image.sh
. "$here/image.sh"
# shellcheck source=deploy/sample.sh
. "$here/sample.sh"

usage() {
  cat <<'END'
usage: deploy/deploy.sh [OPTION...] PROJECT REGION SOURCE TARGET [-- TERRAFORM-OPTION...]

From a project id to the first thumbnail: takes the image of the release that this clone is at, makes everything with
Terraform, and on a first run uploads a sample photo, waits for its thumbnail and removes both. A later run changes what has
changed and nothing else.

  PROJECT   id of a project with billing
  REGION    where the service runs, for example europe-west1
  SOURCE    bucket with the pictures; made if the project has none of that name
  TARGET    bucket for the thumbnails; made likewise; may be SOURCE itself

  --dry-run      print each command and run none (as on a project where nothing exists yet)
  --yes          don't ask before Terraform deletes or replaces something
  --name NAME    name of the deployment, and of everything made (gcs-thumbnailer)
  --image IMAGE  run this one, NAME@sha256:DIGEST: to roll back, the one that ran before
  --build        have Cloud Build make the image of this clone, which takes ten minutes
  --sample       try a sample photo on a later run too, or in a source bucket that was there before
  --destroy      remove everything that was made, except the buckets and what is in them

What follows -- goes to terraform plan, for example: -- -var=max_instances=3. Variables: deploy/README.md.
END
}

dry_run=false yes=false sample=false build=false destroy=false name=gcs-thumbnailer image="" positional=()
while [ $# -gt 0 ]; do
  case "$1" in
    --dry-run) dry_run=true ;;
    --yes) yes=true ;;
    --sample | --build | --destroy) printf -v "${1#--}" true ;;
    --name | --image)
      [ $# -ge 2 ] || die "$1 needs a value"
      printf -v "${1#--}" %s "$2"
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
case "$source$target" in */*) die "give a bucket's name alone, without gs:// and folders" ;; esac
case "$image" in "" | *@sha256:*) ;; *) die "give the image by digest, NAME@sha256:DIGEST" ;; esac

state_bucket="$project-gcs-thumbnailer-state"
plan="$here/$name.tfplan"
in_terraform=(terraform "-chdir=$here")

step "Tools and login"
if $dry_run; then
  echo "(dry run: nothing is asked and nothing is changed)"
else
  for tool in terraform gcloud; do
    command -v "$tool" >/dev/null || die "$tool is missing; deploy/README.md says where to get it"
  done
  [[ "$(terraform version)" =~ v([2-9]|1\.(9|[1-9][0-9]))\. ]] || die "Terraform must be 1.9 or later"
fi
finds gcloud auth print-access-token || $dry_run || die "nobody is logged in: run gcloud auth login"
finds gcloud projects describe "$project" || $dry_run || die "no project $project, or no right to see it"

step "APIs"
run gcloud services enable artifactregistry.googleapis.com cloudbuild.googleapis.com cloudresourcemanager.googleapis.com \
  cloudscheduler.googleapis.com iam.googleapis.com logging.googleapis.com monitoring.googleapis.com \
  pubsub.googleapis.com run.googleapis.com storage.googleapis.com --project="$project"
# Pub/Sub's own account must exist before it can be given a right.
run gcloud beta services identity create --service=pubsub.googleapis.com --project="$project" --quiet

if $destroy; then
  image="gone@sha256:$(printf '0%.0s' {1..64})"
elif $build; then
  build_image
else
  [ -n "$image" ] || released_image
  pullable_image
fi

step "Terraform"
make_private_bucket "$state_bucket"
run gcloud storage buckets update "gs://$state_bucket" --versioning
# Terraform acts as the person that gcloud is logged in as, and on this project's quota.
$dry_run || GOOGLE_OAUTH_ACCESS_TOKEN="$(gcloud auth print-access-token)"
export GOOGLE_OAUTH_ACCESS_TOKEN USER_PROJECT_OVERRIDE=true GOOGLE_BILLING_PROJECT="$project" TF_IN_AUTOMATION=1
run "${in_terraform[@]}" init -input=false -reconfigure -backend-config="bucket=$state_bucket" -backend-config="prefix=$name"
# A first run has no state; any other complaint is one.
known="$(ask "${in_terraform[@]}" state list 2>&1)" || $dry_run ||
  case "$known" in *"No state file"*) known="" ;; *) die "can't read the state: $known" ;; esac

# A bucket that Terraform made stays Terraform's; one that was there before is left to its owner.
makes() {
  case "$known" in *"google_storage_bucket.$1[0]"*) echo true && return ;; esac
  if has_bucket "$2"; then echo false; else echo true; fi
}
if $destroy; then
  create_source=false create_target=false
  terraform_options+=(-destroy)
  for end in source target; do
    case "$known" in *"google_storage_bucket.${end}[0]"*) run "${in_terraform[@]}" state rm "google_storage_bucket.${end}[0]" ;; esac
  done
else
  create_source="$(makes source "$source")"
  create_target=true
  [ "$source" = "$target" ] || create_target="$(makes target "$target")"
fi

# Making and changing needs no question; deleting does, and replacing is deleting.
deletes() {
  local changes
  changes="$("${in_terraform[@]}" show -json "$plan")" || die "can't read the plan"
  [[ "$changes" =~ \"actions\":\[[^]]*\"delete\" ]]
}

plan_and_apply() {
  run "${in_terraform[@]}" plan -input=false -out="$plan" \
    -var="project=$project" -var="region=$region" -var="name=$name" -var="image=$image" \
    -var="source_bucket=$source" -var="create_source_bucket=$create_source" \
    -var="target_bucket=$target" -var="create_target_bucket=$create_target" \
    ${terraform_options[@]+"${terraform_options[@]}"} || die "terraform made no plan; see above"
  $dry_run || $yes || ! deletes || confirm "This plan deletes or replaces something (see above)." ||
    die "nothing was changed. Read the plan above, then run again with --yes"
  run "${in_terraform[@]}" apply -input=false "$plan"
}

trap 'rm -f "$plan"' EXIT
again plan_and_apply || die "terraform failed; see above. It is safe to run this again"

if $destroy; then
  printf '\nGone. The buckets are left, and what other deployments of the project share: deploy/README.md, Removal.\n'
  exit
fi

step "Check"
revision="" serving="" folder=""
answer revision "${in_terraform[@]}" output -raw revision
answer serving gcloud run services describe "$name" --region="$region" --project="$project" \
  --format="value(status.latestReadyRevisionName)"
$dry_run || [ "$revision" = "$serving" ] ||
  die "the new revision $revision isn't ready, and $serving still serves: see deploy/OPERATIONS.md"
echo "$revision serves. Logs and charts: dashboard \"$name\" in Cloud Monitoring."

# A first run tries a sample; in somebody's own bucket only if asked.
if ! $sample && [ -z "$known" ]; then
  $create_source || confirm "gs://$source was there before: a sample photo would go into it, and be removed." && sample=true
fi
if ! $sample; then
  echo "No sample was tried; --sample does."
  exit
fi
answer folder "${in_terraform[@]}" output -raw sample_folder
$dry_run && folder=/FOLDER/
try_sample "${folder#/}gcs-thumbnailer-sample-$(date -u +%Y%m%d-%H%M%S).jpg"
