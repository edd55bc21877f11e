#!/usr/bin/env bash
# What deploy.sh shows, runs and asks. Needs $dry_run, $project and $region.
# shellcheck disable=SC2154

die() {
  echo "deploy.sh: $*" >&2
  exit 1
}

step() {
  printf '\n== %s\n' "$*"
}

# Where commands are shown, also those whose output is taken.
exec 3>&1
show() {
  local mark="$1"
  shift
  printf '%s' "$mark" >&3
  printf ' %q' "$@" >&3
  echo >&3
}

# Runs a command that changes something, and says so.
run() {
  show + "$@"
  $dry_run || "$@"
}

# Runs a command that only looks. In a dry run nothing is ever there.
ask() {
  show '?' "$@"
  ! $dry_run && "$@"
}

finds() {
  ask "$@" >/dev/null 2>&1
}

# answer VARIABLE COMMAND...: what the command says, or in a dry run the variable's name.
answer() {
  local variable="$1" said
  shift
  if $dry_run; then
    show '?' "$@"
    said="$(tr '[:lower:]' '[:upper:]' <<<"$variable")"
  else
    said="$(ask "$@")" || die "failed: $*"
    [ -n "$said" ] || die "no answer to: $*"
  fi
  printf -v "$variable" %s "$said"
}

# Rights that were just given take a while to arrive: what fails at once is tried again, what fails late is not.
again() {
  local try start
  for try in 1 2 3 4; do
    start=$SECONDS
    "$@" && return
    [ "$try" -lt 4 ] && [ $((SECONDS - start)) -lt 180 ] || return
    echo "Once more in 20 seconds: rights that were just given take a while to arrive."
    run sleep 20
  done
}

# Only buckets of this project count: a bucket of that name in a stranger's hands must not receive anything. gcloud's
# filter may find longer names too.
has_bucket() {
  local found
  found="$(ask gcloud storage buckets list --project="$project" --filter="name:$1" --format="value(name)")" ||
    $dry_run || die "can't list the buckets of $project"
  grep -Fxq -- "$1" <<<"$found"
}

make_private_bucket() {
  has_bucket "$1" ||
    run gcloud storage buckets create "gs://$1" --project="$project" --location="$region" \
      --uniform-bucket-level-access --public-access-prevention
}

confirm() {
  local answer
  echo "$1"
  [ -t 0 ] || return
  read -r -p "Go on? [y/N] " answer
  [ "$answer" = y ]
}
