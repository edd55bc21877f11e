data "google_project" "this" {
  project_id = var.project
}

# Asking for Cloud Storage's own account also makes it, in a project that never had one.
data "google_storage_project_service_account" "this" {
  project = var.project
}

locals {
  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"

  # No expiry; an event outlives a long weekend, and a dead letter a holiday: it is the trace of a picture without a
  # thumbnail, and 31 days are the most that Pub/Sub keeps.
  week_in_seconds  = "604800s"
  month_in_seconds = "2678400s"

  # In a versioned bucket a deletion archives.
  event_types = concat(["OBJECT_FINALIZE"], var.propagate_deletes ? ["OBJECT_DELETE", "OBJECT_ARCHIVE"] : [])

  # Cloud Storage takes ten notifications of one event type on one bucket, which a shared one divides.
  notifications_of_one_kind = local.shared_bucket ? 5 : 10

  # The folders that pictures are looked for in, none within another; an empty one is the whole bucket, which is what a
  # pattern takes that has a wildcard before its first slash.
  include_folders = length(var.include) == 0 ? [""] : distinct([
    for pattern in var.include : try(regex("^[^*?[]*/", pattern), "")
  ])
  outer_folders = [
    for folder in local.include_folders : folder
    if !anytrue([for other in local.include_folders : other != folder && startswith(folder, other)])
  ]
  source_folders = length(local.outer_folders) <= local.notifications_of_one_kind ? local.outer_folders : [""]
}

resource "google_pubsub_topic" "events" {
  project      = var.project
  name         = var.name
  labels       = var.labels
  kms_key_name = var.kms_key

  dynamic "message_storage_policy" {
    for_each = var.allowed_persistence_regions == null ? [] : [var.allowed_persistence_regions]
    content {
      allowed_persistence_regions = message_storage_policy.value
    }
  }
}

resource "google_pubsub_topic_iam_member" "storage_publishes" {
  project = var.project
  topic   = google_pubsub_topic.events.name
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:${data.google_storage_project_service_account.this.email_address}"
}

# Last of all: the publisher's binding must be there before the notification can be made, and the subscription before
# the first event, since a topic without a subscription forgets.
resource "google_storage_notification" "events" {
  # The first bucket's are known by their folder alone.
  for_each = merge([
    for index, bucket in local.source_buckets : {
      for folder in local.source_folders : index == 0 ? folder : "${bucket}:${folder}" => { bucket = bucket, folder = folder }
    }
  ]...)

  bucket             = each.value.bucket
  topic              = google_pubsub_topic.events.id
  payload_format     = "JSON_API_V1"
  event_types        = local.event_types
  object_name_prefix = each.value.folder == "" ? null : each.value.folder

  depends_on = [
    google_pubsub_topic_iam_member.storage_publishes,
    google_pubsub_subscription.push,
  ]
}

moved {
  from = google_storage_notification.events
  to   = google_storage_notification.events[""]
}

locals {
  # What outputs' names begin with. A pattern that begins with a placeholder can't be filtered, and one that is
  # percent-encoded isn't: the service knows such outputs by their marker, at the price of a request each.
  own_beginnings = length(var.renditions) == 0 ? [var.thumbnail_prefix] : distinct([
    for rendition in var.renditions : regex("^[^{?]*", rendition)
    if can(regex("^[A-Za-z0-9._/-]+\\{", rendition))
  ])
  own_filter = join(" AND ", [for beginning in local.own_beginnings : "NOT hasPrefix(attributes.objectId, \"${beginning}\")"])
}

resource "google_pubsub_subscription" "push" {
  project                    = var.project
  name                       = var.name
  labels                     = var.labels
  topic                      = google_pubsub_topic.events.id
  ack_deadline_seconds       = local.ack_deadline_seconds
  message_retention_duration = local.week_in_seconds

  # In a shared bucket each thumbnail raises an event of its own. The service skips those, but a filter saves the
  # delivery. It can't be changed later: another prefix makes Terraform replace the subscription, and what the old one
  # still held is lost (gcs-thumbnailer reconcile finds it).
  filter = local.shared_bucket && local.own_filter != "" ? local.own_filter : null

  lifecycle {
    precondition {
      condition     = !local.shared_bucket || length(local.own_filter) <= 256
      error_message = "A filter has at most 256 bytes, and the literal beginnings of these renditions' names take more: use fewer or shorter ones, or a target bucket of its own."
    }
  }

  push_config {
    push_endpoint = "${google_cloud_run_v2_service.thumbnailer.uri}/"
    oidc_token {
      service_account_email = local.push_account
      audience              = google_cloud_run_v2_service.thumbnailer.uri
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  # 100 attempts take about 16 hours. With 5, one bad IAM edit over lunch would dead-letter the day's uploads.
  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letter.id
    max_delivery_attempts = 100
  }

  expiration_policy {
    ttl = ""
  }

  # The first event finds every right in place.
  depends_on = [
    google_cloud_run_v2_service_iam_member.push_invokes,
    google_service_account_iam_member.pubsub_mints_push_tokens,
    google_storage_bucket_iam_member.run_reads_source,
    google_storage_bucket_iam_member.run_reads_more_sources,
    google_storage_bucket_iam_member.run_writes_target,
    google_pubsub_topic_iam_member.agent_publishes_dead_letters,
  ]
}

# Projects from before April 2021 lack this right; on this one account it is harmless in the others.
resource "google_service_account_iam_member" "pubsub_mints_push_tokens" {
  service_account_id = "projects/-/serviceAccounts/${local.push_account}"
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
}

resource "google_pubsub_topic" "dead_letter" {
  project      = var.project
  name         = "${var.name}-dead-letter"
  labels       = var.labels
  kms_key_name = var.kms_key

  dynamic "message_storage_policy" {
    for_each = var.allowed_persistence_regions == null ? [] : [var.allowed_persistence_regions]
    content {
      allowed_persistence_regions = message_storage_policy.value
    }
  }
}

# A topic keeps nothing by itself: this subscription is what holds the dead letters, and what the alert looks at.
resource "google_pubsub_subscription" "dead_letter" {
  project                    = var.project
  name                       = "${var.name}-dead-letter"
  labels                     = var.labels
  topic                      = google_pubsub_topic.dead_letter.id
  ack_deadline_seconds       = local.ack_deadline_seconds
  message_retention_duration = local.month_in_seconds

  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub forwards a dead letter as its own account: publish to the one, acknowledge on the other.
resource "google_pubsub_topic_iam_member" "agent_publishes_dead_letters" {
  project = var.project
  topic   = google_pubsub_topic.dead_letter.name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "agent_acknowledges_events" {
  project      = var.project
  subscription = google_pubsub_subscription.push.name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
