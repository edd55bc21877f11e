#!/usr/bin/env bash
# Part of deploy.sh. Needs commands.sh, $root, $name, $source, $target, $revision and $plan.
# shellcheck disable=SC2154

# What the revision's log tells of the sample, whatever the names of its renditions.
told() {
  ask gcloud logging read "resource.labels.revision_name=\"$revision\" AND jsonPayload.name=\"$photo\" AND jsonPayload.outcome:*" \
    --project="$project" --freshness=1h --limit=1 "$@"
}

# The picture first: what is stored meanwhile would otherwise stay.
remove_sample() {
  local output outputs
  rm -f "$plan"
  outputs="$(told --flatten="jsonPayload.renditions[]" --format="value(jsonPayload.renditions.name)")" || true
  run gcloud storage rm "gs://$source/$photo" || true
  while IFS= read -r output; do
    [ -z "$output" ] || run gcloud storage rm "gs://$target/$output" || true
  done <<<"$outputs"
}

# Uploads a photo of that name, waits until the new revision tells of it, and removes what came of it.
try_sample() {
  local try outcome=""
  photo="$1"
  trap remove_sample EXIT
  # A new notification can take half a minute to start, and what is uploaded before that announces nothing: hence the
  # repeated upload.
  for try in {0..59}; do
    [ $((try % 6)) -ne 0 ] || run gcloud storage cp "$root/tests/photos/launch.jpg" "gs://$source/$photo"
    outcome="$(told --format="value(jsonPayload.outcome)")" || true
    if [ -n "$outcome" ] || $dry_run; then break; fi
    run sleep 5
  done
  case "$outcome" in
    created | replaced) echo "The first thumbnail was made. From now on, each picture in gs://$source gets one." ;;
    skipped) echo "The sample is no picture here (source_types, include, exclude): upload one of yours." ;;
    *)
      $dry_run && return
      gcloud logging read "resource.labels.service_name=\"$name\" AND severity>=WARNING" --project="$project" \
        --freshness=15m --limit=20 --format="value(severity,jsonPayload.reason,jsonPayload.message,textPayload)" || true
      die "no thumbnail after five minutes (${outcome:-no event}). Everything is made; the lines above, if any, say why (deploy/OPERATIONS.md)"
      ;;
  esac
}
