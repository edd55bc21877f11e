# What needs somebody now; trends.tf has what needs somebody soon. None of these looks at a log-based metric: Cloud
# Monitoring refuses an alert on one for up to ten minutes after it was made, which would break the first apply.

locals {
  channels  = concat(var.notification_channels, google_monitoring_notification_channel.email[*].id)
  logs_hint = "gcloud logging read '(resource.labels.service_name=\"${var.name}\" OR resource.labels.job_name=~\"^${var.name}-reconcile(-[0-9]+)?$\") AND severity>=WARNING' --project=${var.project} --freshness=1d --limit=20 --format='value(timestamp, severity, jsonPayload.reason, jsonPayload.message, textPayload)'"
}

resource "google_monitoring_notification_channel" "email" {
  count = var.alert_email == "" ? 0 : 1

  project      = var.project
  display_name = "${var.name}: alerts"
  type         = "email"
  labels       = { email_address = var.alert_email }
}

resource "google_monitoring_alert_policy" "dead_letters" {
  project               = var.project
  display_name          = "${var.name}: events were given up"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  conditions {
    display_name = "Dead letters are present"
    condition_threshold {
      filter          = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${google_pubsub_subscription.dead_letter.name}\" AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
      trigger {
        count = 1
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${var.name}: pictures without a thumbnail"
    content   = <<-EOT
      Some events failed 100 times over about 16 hours, and their pictures have no thumbnail.

      1. See why: `${local.logs_hint}`. The line's `reason` says what to mend; deploy/OPERATIONS.md has a row for each.
      2. Mend it. Don't replay the dead letters.
      3. Make what is missing: `${local.reconcile}`.
      4. Close the alert by emptying the queue: `gcloud pubsub subscriptions seek ${google_pubsub_subscription.dead_letter.name} --project=${var.project} --time="$(date -u +%Y-%m-%dT%H:%M:%SZ)"`.
    EOT
  }
}

resource "google_monitoring_alert_policy" "errors" {
  project               = var.project
  display_name          = "${var.name}: errors that need a person"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  conditions {
    display_name = "An ERROR line was written"
    condition_matched_log {
      # Cloud Run's own request log calls every 503 an error, also one that the next delivery mends.
      filter = "((${local.service_logs}) OR (resource.type=\"cloud_run_job\" AND resource.labels.job_name=~\"^${var.name}-reconcile(-[0-9]+)?$\") OR (resource.type=\"cloud_scheduler_job\" AND resource.labels.job_id=~\"^${var.name}-reconcile(-[0-9]+)?$\")) AND severity>=ERROR AND NOT logName:\"run.googleapis.com%2Frequests\""
      label_extractors = {
        reason = "EXTRACT(jsonPayload.reason)"
        bucket = "EXTRACT(jsonPayload.bucket)"
      }
    }
  }

  alert_strategy {
    auto_close = "1800s"
    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${var.name}: $${log.extracted_label.reason}"
    content   = <<-EOT
      Reason `$${log.extracted_label.reason}`, bucket `$${log.extracted_label.bucket}`. The fault is in the deployment or in the program, not in the picture. No upload is lost: Pub/Sub delivers the event again, for about 16 hours.

      - `permission_denied`: give `${local.run_account}` back `roles/storage.objectViewer` on the source bucket and `roles/storage.objectUser` on the target bucket (`terraform apply` does it).
      - `target_missing`: the target bucket is gone. Make it again, or `terraform apply`.
      - `panic`, `unknown`: a defect. Keep the line and the picture, and report both.
      - no reason, and the text speaks of memory: lower `concurrency` or raise `memory_mib`.
      - `publish`, `prune`, or no reason, and the line is the reconcile job's: it couldn't publish, delete or list, and the text says why. The next run finds the rest. A Cloud Scheduler job's line means that the run never started: `${google_service_account.reconcile.email}` needs `roles/run.invoker` on the job.

      The lines: `${local.logs_hint}`. More in deploy/OPERATIONS.md.
    EOT
  }
}

resource "google_monitoring_alert_policy" "latency" {
  project               = var.project
  display_name          = "${var.name}: slow"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  conditions {
    display_name = "One event in a hundred takes longer than 20 s"
    condition_threshold {
      filter          = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${google_cloud_run_v2_service.thumbnailer.name}\" AND metric.type=\"run.googleapis.com/request_latencies\""
      comparison      = "COMPARISON_GT"
      threshold_value = 20000
      duration        = "600s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_PERCENTILE_99"
      }
      trigger {
        count = 1
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${var.name}: events take long"
    content   = <<-EOT
      The slowest events come near the ${local.event_timeout_seconds} s after which they are answered 503 and delivered again. On the dashboard, see which stage takes the time:

      - `admit_ms`: pictures wait for memory. Lower `concurrency` (now ${var.concurrency}), so that Cloud Run starts more instances, or raise `memory_mib` (now ${var.memory_mib}).
      - `open_ms`, `read_ms`, `write_ms`: Cloud Storage is slow, or a bucket is in another region than the service (${var.region}).
      - `queue_ms`: pictures wait for a core. Lower `concurrency` likewise.
      - `render_ms`: the pictures are large.
      - none of them: instances are being started. See `max_instances` (now ${var.max_instances}).
    EOT
  }
}
