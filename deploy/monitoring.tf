# Metrics come from the one JSON line that the service writes for each event; alerts and the dashboard build on them
# and on what Cloud Run and Pub/Sub measure themselves.
locals {
  service_logs = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${var.name}\""
  event_lines  = "${local.service_logs} AND jsonPayload.outcome:*"

  # Each field is a number in the event line; the unit is what the dashboard writes at the axis.
  distributions = {
    open_ms         = { unit = "ms", description = "Time to open the read of the picture" }
    admit_ms        = { unit = "ms", description = "Time spent waiting for memory" }
    read_ms         = { unit = "ms", description = "Time to read the picture" }
    queue_ms        = { unit = "ms", description = "Time spent waiting for a core" }
    render_ms       = { unit = "ms", description = "Time to make the thumbnail" }
    write_ms        = { unit = "ms", description = "Time to store the thumbnail" }
    total_ms        = { unit = "ms", description = "Time from the event's arrival to its answer" }
    source_bytes    = { unit = "By", description = "Size of the picture" }
    thumbnail_bytes = { unit = "By", description = "Size of the thumbnail" }
  }
}

resource "google_logging_metric" "events" {
  project     = var.project
  name        = "${var.name}/events"
  description = "Events by outcome and reason"
  filter      = local.event_lines

  label_extractors = {
    outcome = "EXTRACT(jsonPayload.outcome)"
    reason  = "EXTRACT(jsonPayload.reason)"
  }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    labels {
      key         = "outcome"
      value_type  = "STRING"
      description = "How the event ended; deploy/OPERATIONS.md has a row for each"
    }
    labels {
      key         = "reason"
      value_type  = "STRING"
      description = "Why, where the outcome has several reasons"
    }
  }
}

resource "google_logging_metric" "distribution" {
  for_each = local.distributions

  project         = var.project
  name            = "${var.name}/${each.key}"
  description     = each.value.description
  filter          = local.event_lines
  value_extractor = "EXTRACT(jsonPayload.${each.key})"

  label_extractors = {
    outcome = "EXTRACT(jsonPayload.outcome)"
  }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = each.value.unit

    labels {
      key         = "outcome"
      value_type  = "STRING"
      description = "How the event ended; deploy/OPERATIONS.md has a row for each"
    }
  }

  # 1 to 1.4^60 = 590 million, each bucket 40 % wider than the one before: milliseconds and bytes both fit.
  bucket_options {
    exponential_buckets {
      num_finite_buckets = 60
      growth_factor      = 1.4
      scale              = 1
    }
  }
}
