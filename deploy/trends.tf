# What needs somebody soon: each looks at how things go over some time, so that one bad event opens none of them.
locals {
  push_series    = "pubsub_googleapis_com:subscription_%s{subscription_id=\"${google_pubsub_subscription.push.name}\"%s}"
  waiting_series = format(local.push_series, "num_undelivered_messages", "")
  done_series    = format(local.push_series, "push_request_count", ",response_class=\"ack\"")

  # A metric's name in PromQL has : for the first slash, and _ for whatever else isn't a letter or digit.
  events_series = "logging_googleapis_com:user_${replace(google_logging_metric.events.name, "/[^A-Za-z0-9]/", "_")}{monitored_resource=\"cloud_run_revision\"%s}"
}

moved {
  from = google_monitoring_alert_policy.oldest_event
  to   = google_monitoring_alert_policy.backlog
}

# Not the oldest event's age: one that fails for 16 hours would hold the alert open over everything else.
resource "google_monitoring_alert_policy" "backlog" {
  project               = var.project
  display_name          = "${var.name}: events are waiting"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  conditions {
    display_name = "The backlog has grown for 15 minutes"
    condition_prometheus_query_language {
      query               = "max(${local.waiting_series}) - max(${local.waiting_series} offset 10m) > 10"
      duration            = "900s"
      evaluation_interval = "60s"
    }
  }
  conditions {
    display_name = "Events wait, and none was done for half an hour"
    condition_prometheus_query_language {
      query               = "max(${local.waiting_series}) > 2 unless sum(increase(${local.done_series}[30m])) > 0"
      duration            = "300s"
      evaluation_interval = "60s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${var.name}: thumbnails are late"
    content   = <<-EOT
      More events come than are worked off, or none is. Nothing is lost within seven days.

      1. `${local.logs_hint}`
      2. Lines with `outcome` `failed`: the `reason` says what to mend (deploy/OPERATIONS.md).
      3. No line at all: Pub/Sub can't reach the service. `${local.push_account}` needs `roles/run.invoker` on the service `${var.name}`, whose ingress must be `internal` or `all`; `terraform apply` puts both right.
      4. Many lines and few failures: more pictures than ${var.max_instances} instances make. Raise `max_instances`, or wait.
    EOT
  }
}

resource "google_monitoring_alert_policy" "saturated" {
  project               = var.project
  display_name          = "${var.name}: all instances are busy"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  conditions {
    display_name = "As many instances as there may be have worked for half an hour"
    condition_threshold {
      filter          = "${local.run_metric} AND metric.type=\"run.googleapis.com/container/instance_count\" AND metric.labels.state=\"active\""
      comparison      = "COMPARISON_GT"
      threshold_value = var.max_instances - 0.5
      duration        = "1800s"
      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_SUM"
      }
      trigger {
        count = 1
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${var.name}: at its limit"
    content   = <<-EOT
      All ${var.max_instances} instances have worked for half an hour, which is also when they cost most. On the dashboard, "Events that wait" says whether they catch up. A burst ends by itself; if it is the usual load, raise `max_instances`; if nobody uploads that much, see which names the log has: `${local.logs_hint}`.
    EOT
  }
}

resource "google_monitoring_alert_policy" "refused" {
  project               = var.project
  display_name          = "${var.name}: many pictures are refused"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  conditions {
    display_name = "One picture in ten was refused for an hour"
    condition_prometheus_query_language {
      query               = "sum(increase(${format(local.events_series, ",outcome=\"refused\"")}[1h])) > 10 and sum(increase(${format(local.events_series, ",outcome=\"refused\"")}[1h])) / sum(increase(${format(local.events_series, ",outcome=~\"created|replaced|refused\"")}[1h])) > 0.1"
      duration            = "0s"
      evaluation_interval = "60s"
      # The metric may be younger than this policy; see alerts.tf.
      disable_metric_validation = true
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${var.name}: a client sends what can't be rendered"
    content   = <<-EOT
      Single broken pictures are usual; a tenth of all is a client that has changed, for example to HEIC. On the dashboard, "Not made, by reason" says why: `unsupported` is another format (see `source_types`), `truncated` are uploads cut off, `too_large` and `too_many_pixels` are the limits. deploy/OPERATIONS.md has a row for each. The lines: `${local.logs_hint}`.
    EOT
  }
}

resource "google_monitoring_alert_policy" "reconcile" {
  project               = var.project
  display_name          = "${var.name}: a reconcile run failed"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  conditions {
    display_name = "An execution of the job failed"
    condition_threshold {
      filter          = "resource.type=\"cloud_run_job\" AND resource.labels.job_name=monitoring.regex.full_match(\"${var.name}-reconcile(-[0-9]+)?\") AND metric.type=\"run.googleapis.com/job/completed_execution_count\" AND metric.labels.result=\"failed\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_DELTA"
      }
      trigger {
        count = 1
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${var.name}: reconcile didn't end well"
    content   = <<-EOT
      It published what it had found until then. See why: `${local.logs_hint}`. Mend it and run it again: `${local.reconcile}`.
    EOT
  }
}

# The objective is in the console, without an alert of its own: where little arrives, one event that keeps failing would
# burn its budget. A delivery without an answer within the ack deadline isn't a good one.
resource "google_monitoring_custom_service" "thumbnailer" {
  project      = var.project
  service_id   = var.name
  display_name = var.name
}

resource "google_monitoring_slo" "deliveries" {
  project             = var.project
  service             = google_monitoring_custom_service.thumbnailer.service_id
  slo_id              = "deliveries"
  display_name        = "99 % of deliveries are done within ${local.ack_deadline_seconds} s"
  goal                = 0.99
  rolling_period_days = 28

  request_based_sli {
    good_total_ratio {
      good_service_filter  = "${local.push_metric} AND metric.type=\"pubsub.googleapis.com/subscription/push_request_count\" AND metric.labels.response_class=\"ack\""
      total_service_filter = "${local.push_metric} AND metric.type=\"pubsub.googleapis.com/subscription/push_request_count\""
    }
  }
}
