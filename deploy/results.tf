# Tells the app what became of its pictures: what is stored, by the target bucket's own notifications, and what was
# refused, by a log sink, both on one topic. Nothing of this file is made while result_topic is empty.
locals {
  results = var.result_topic == "" ? 0 : 1

  # projects/PROJECT/topics/NAME is a topic that exists; a bare name is one to make.
  result_topic_made    = var.result_topic != "" && !startswith(var.result_topic, "projects/")
  result_topic_path    = split("/", var.result_topic)
  result_topic_project = local.result_topic_made ? var.project : try(local.result_topic_path[1], "")
  result_topic_name    = local.result_topic_made ? google_pubsub_topic.results[0].name : try(local.result_topic_path[3], "")
  result_topic         = "projects/${local.result_topic_project}/topics/${local.result_topic_name}"

  # What outputs' names begin with, as far as it is literal and not percent-encoded; an empty one is the whole bucket.
  # One that lies within another would tell of an object twice.
  output_beginnings = length(var.renditions) == 0 ? [var.thumbnail_prefix] : distinct([
    for rendition in var.renditions : regex("^[^{?%]*", rendition)
  ])
  output_prefixes = [
    for beginning in local.output_beginnings : beginning
    if !anytrue([for other in local.output_beginnings : other != beginning && startswith(beginning, other)])
  ]
}

resource "google_pubsub_topic" "results" {
  count = local.result_topic_made ? 1 : 0

  project      = var.project
  name         = var.result_topic
  labels       = var.labels
  kms_key_name = var.kms_key

  dynamic "message_storage_policy" {
    for_each = var.allowed_persistence_regions == null ? [] : [var.allowed_persistence_regions]
    content {
      allowed_persistence_regions = message_storage_policy.value
    }
  }
}

resource "google_pubsub_topic_iam_member" "storage_publishes_results" {
  count = local.results

  project = local.result_topic_project
  topic   = local.result_topic_name
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:${data.google_storage_project_service_account.this.email_address}"
}

resource "google_storage_notification" "results" {
  for_each = toset(local.results == 0 ? [] : length(local.output_prefixes) <= local.notifications_of_one_kind ? local.output_prefixes : [""])

  bucket             = local.target_bucket
  topic              = local.result_topic
  payload_format     = "JSON_API_V1"
  event_types        = local.event_types
  object_name_prefix = each.key == "" ? null : each.key

  depends_on = [google_pubsub_topic_iam_member.storage_publishes_results]
}

resource "google_logging_project_sink" "refusals" {
  count = local.results

  project                = var.project
  name                   = "${var.name}-refused"
  description            = "Tells the app which pictures can't be rendered"
  destination            = "pubsub.googleapis.com/${local.result_topic}"
  filter                 = "${local.service_logs} AND jsonPayload.outcome=\"refused\""
  unique_writer_identity = true
}

resource "google_pubsub_topic_iam_member" "sink_publishes_results" {
  count = local.results

  project = local.result_topic_project
  topic   = local.result_topic_name
  role    = "roles/pubsub.publisher"
  member  = google_logging_project_sink.refusals[0].writer_identity
}
