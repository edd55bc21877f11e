# Metrics, alerts and the dashboard.
mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project               = "demo-project"
  region                = "europe-west1"
  source_bucket         = "demo-photos"
  target_bucket         = "demo-thumbnails"
  image                 = "europe-west1-docker.pkg.dev/demo-project/gcs-thumbnailer/gcs-thumbnailer@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  notification_channels = ["projects/demo-project/notificationChannels/1"]
}

run "metrics" {
  assert {
    condition     = google_logging_metric.events.filter == "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"gcs-thumbnailer\" AND jsonPayload.outcome:*"
    error_message = "event lines of this service are counted"
  }
  assert {
    condition     = google_logging_metric.events.label_extractors == tomap({ outcome = "EXTRACT(jsonPayload.outcome)", reason = "EXTRACT(jsonPayload.reason)" })
    error_message = "events are told apart by outcome and reason"
  }
  assert {
    condition     = toset([for l in google_logging_metric.events.metric_descriptor[0].labels : l.key]) == toset(keys(google_logging_metric.events.label_extractors))
    error_message = "every label of the counter is declared"
  }
  assert {
    condition     = google_logging_metric.events.metric_descriptor[0].metric_kind == "DELTA" && google_logging_metric.events.metric_descriptor[0].value_type == "INT64"
    error_message = "events are counted, not measured"
  }
  assert {
    condition     = toset(keys(google_logging_metric.distribution)) == toset(["open_ms", "admit_ms", "read_ms", "queue_ms", "render_ms", "write_ms", "total_ms", "source_bytes", "thumbnail_bytes"])
    error_message = "every stage and both sizes are measured"
  }
  assert {
    condition     = alltrue([for field, m in google_logging_metric.distribution : m.value_extractor == "EXTRACT(jsonPayload.${field})"])
    error_message = "each distribution reads its own field"
  }
  assert {
    condition     = alltrue([for field, m in google_logging_metric.distribution : m.metric_descriptor[0].value_type == "DISTRIBUTION" && m.metric_descriptor[0].unit == (endswith(field, "_ms") ? "ms" : "By")])
    error_message = "distributions have their unit"
  }
  assert {
    condition     = alltrue([for m in google_logging_metric.distribution : m.bucket_options[0].exponential_buckets[0].scale * pow(m.bucket_options[0].exponential_buckets[0].growth_factor, m.bucket_options[0].exponential_buckets[0].num_finite_buckets) > 104857600])
    error_message = "the widest bucket holds the largest picture"
  }
}

run "alerts" {
  assert {
    condition = alltrue([for p in [
      google_monitoring_alert_policy.dead_letters, google_monitoring_alert_policy.errors,
      google_monitoring_alert_policy.backlog, google_monitoring_alert_policy.latency,
      google_monitoring_alert_policy.saturated, google_monitoring_alert_policy.refused, google_monitoring_alert_policy.reconcile,
    ] : p.notification_channels == tolist(["projects/demo-project/notificationChannels/1"])])
    error_message = "every alert goes to the channels"
  }
  assert {
    condition = alltrue([for p in [
      google_monitoring_alert_policy.dead_letters, google_monitoring_alert_policy.errors,
      google_monitoring_alert_policy.backlog, google_monitoring_alert_policy.latency,
      google_monitoring_alert_policy.saturated, google_monitoring_alert_policy.refused, google_monitoring_alert_policy.reconcile,
    ] : strcontains(p.documentation[0].content, "gcloud logging read") || strcontains(p.documentation[0].content, "On the dashboard")])
    error_message = "every alert says where to look"
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.dead_letters.documentation[0].content, "`gcloud run jobs execute gcs-thumbnailer-reconcile --project=demo-project --region=europe-west1`")
    error_message = "the dead letters' alert says how to make what is missing"
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.errors.documentation[0].content, google_service_account.run[0].email)
    error_message = "the error alert names the account"
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.backlog.documentation[0].content, google_service_account.push[0].email)
    error_message = "the waiting alert names the account"
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.dead_letters.conditions[0].condition_threshold[0].filter, "\"gcs-thumbnailer-dead-letter\" AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\"") && google_monitoring_alert_policy.dead_letters.conditions[0].condition_threshold[0].threshold_value == 0 && google_monitoring_alert_policy.dead_letters.conditions[0].condition_threshold[0].comparison == "COMPARISON_GT"
    error_message = "one dead letter is enough"
  }
  assert {
    condition     = google_monitoring_alert_policy.backlog.conditions[0].condition_prometheus_query_language[0].query == "max(pubsub_googleapis_com:subscription_num_undelivered_messages{subscription_id=\"gcs-thumbnailer\"}) - max(pubsub_googleapis_com:subscription_num_undelivered_messages{subscription_id=\"gcs-thumbnailer\"} offset 10m) > 10"
    error_message = "a backlog that grows is reported"
  }
  assert {
    # A jump stands out for as long as the look back; only growth that goes on outlasts it.
    condition     = parseint(trimsuffix(google_monitoring_alert_policy.backlog.conditions[0].condition_prometheus_query_language[0].duration, "s"), 10) > 600
    error_message = "one burst is no growing backlog"
  }
  assert {
    condition     = google_monitoring_alert_policy.backlog.conditions[1].condition_prometheus_query_language[0].query == "max(pubsub_googleapis_com:subscription_num_undelivered_messages{subscription_id=\"gcs-thumbnailer\"}) > 2 unless sum(increase(pubsub_googleapis_com:subscription_push_request_count{subscription_id=\"gcs-thumbnailer\",response_class=\"ack\"}[30m])) > 0"
    error_message = "a standstill is reported, one poison event isn't"
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.saturated.conditions[0].condition_threshold[0].filter, "metric.labels.state=\"active\"") && google_monitoring_alert_policy.saturated.conditions[0].condition_threshold[0].threshold_value == 9.5
    error_message = "all instances at work are reported"
  }
  assert {
    condition     = google_monitoring_alert_policy.refused.conditions[0].condition_prometheus_query_language[0].query == "sum(increase(logging_googleapis_com:user_gcs_thumbnailer_events{monitored_resource=\"cloud_run_revision\",outcome=\"refused\"}[1h])) > 10 and sum(increase(logging_googleapis_com:user_gcs_thumbnailer_events{monitored_resource=\"cloud_run_revision\",outcome=\"refused\"}[1h])) / sum(increase(logging_googleapis_com:user_gcs_thumbnailer_events{monitored_resource=\"cloud_run_revision\",outcome=~\"created|replaced|refused\"}[1h])) > 0.1"
    error_message = "a tenth of refusals is reported, single ones aren't"
  }
  assert {
    condition     = google_monitoring_alert_policy.refused.conditions[0].condition_prometheus_query_language[0].disable_metric_validation
    error_message = "the share of refusals needs no metric that is there"
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.reconcile.conditions[0].condition_threshold[0].filter, "job_name=monitoring.regex.full_match(\"gcs-thumbnailer-reconcile(-[0-9]+)?\") AND metric.type=\"run.googleapis.com/job/completed_execution_count\" AND metric.labels.result=\"failed\"") && google_monitoring_alert_policy.reconcile.conditions[0].condition_threshold[0].threshold_value == 0
    error_message = "a failed run of reconcile is reported"
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.errors.conditions[0].condition_matched_log[0].filter, "(resource.type=\"cloud_scheduler_job\" AND resource.labels.job_id=~\"^gcs-thumbnailer-reconcile(-[0-9]+)?$\")")
    error_message = "a reconcile that never starts is reported"
  }
  assert {
    condition     = google_monitoring_alert_policy.latency.conditions[0].condition_threshold[0].threshold_value == 20000 && google_monitoring_alert_policy.latency.conditions[0].condition_threshold[0].aggregations[0].cross_series_reducer == "REDUCE_PERCENTILE_99"
    error_message = "a 99th percentile over 20 s is reported"
  }
  assert {
    condition     = google_monitoring_alert_policy.latency.conditions[0].condition_threshold[0].threshold_value < 1000 * local.event_timeout_seconds
    error_message = "slowness is reported before events time out"
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.errors.conditions[0].condition_matched_log[0].filter, "resource.labels.service_name=\"gcs-thumbnailer\"") && strcontains(google_monitoring_alert_policy.errors.conditions[0].condition_matched_log[0].filter, "severity>=ERROR")
    error_message = "every ERROR line of the service is reported"
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.errors.conditions[0].condition_matched_log[0].filter, "resource.labels.job_name=~\"^gcs-thumbnailer-reconcile(-[0-9]+)?$\"")
    error_message = "every ERROR line of the job is reported"
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.errors.conditions[0].condition_matched_log[0].filter, "NOT logName:\"run.googleapis.com%2Frequests\"")
    error_message = "a 503 in Cloud Run's request log is no error"
  }
  assert {
    condition     = google_monitoring_alert_policy.errors.alert_strategy[0].notification_rate_limit[0].period == "3600s"
    error_message = "one notification an hour"
  }
  assert {
    # Cloud Monitoring refuses an alert on a log-based metric that is younger than about ten minutes.
    condition = alltrue([for p in [
      google_monitoring_alert_policy.dead_letters, google_monitoring_alert_policy.saturated, google_monitoring_alert_policy.reconcile, google_monitoring_alert_policy.latency,
    ] : !strcontains(p.conditions[0].condition_threshold[0].filter, "logging.googleapis.com")])
    error_message = "no alert needs a metric that was just made"
  }
}

run "dashboard" {
  assert {
    condition = alltrue([for m in concat([google_logging_metric.events], values(google_logging_metric.distribution)) :
    strcontains(google_monitoring_dashboard.thumbnailer.dashboard_json, "logging.googleapis.com/user/${m.name}\\\"")])
    error_message = "every metric has its place on the dashboard"
  }
  assert {
    condition     = strcontains(google_monitoring_dashboard.thumbnailer.dashboard_json, "gcs-thumbnailer-dead-letter")
    error_message = "the dashboard shows dead letters"
  }
  assert {
    condition     = length(jsondecode(google_monitoring_dashboard.thumbnailer.dashboard_json).gridLayout.widgets) == 10
    error_message = "the dashboard has ten charts"
  }
}

run "alerts_by_mail" {
  variables {
    alert_email = "oncall@example.com"
  }
  assert {
    condition     = google_monitoring_notification_channel.email[0].type == "email" && google_monitoring_notification_channel.email[0].labels == tomap({ email_address = "oncall@example.com" })
    error_message = "the address becomes a channel"
  }
  assert {
    condition     = contains(google_monitoring_alert_policy.dead_letters.notification_channels, google_monitoring_notification_channel.email[0].id) && contains(google_monitoring_alert_policy.dead_letters.notification_channels, "projects/demo-project/notificationChannels/1")
    error_message = "alerts go to the address and to the channels"
  }
}

run "objective" {
  assert {
    condition     = google_monitoring_slo.deliveries.goal == 0.99 && google_monitoring_slo.deliveries.service == google_monitoring_custom_service.thumbnailer.service_id
    error_message = "99 in 100 is the objective"
  }
  assert {
    condition     = strcontains(google_monitoring_slo.deliveries.request_based_sli[0].good_total_ratio[0].good_service_filter, "subscription_id=\"gcs-thumbnailer\" AND metric.type=\"pubsub.googleapis.com/subscription/push_request_count\" AND metric.labels.response_class=\"ack\"") && google_monitoring_slo.deliveries.request_based_sli[0].good_total_ratio[0].good_service_filter == "${google_monitoring_slo.deliveries.request_based_sli[0].good_total_ratio[0].total_service_filter} AND metric.labels.response_class=\"ack\""
    error_message = "what is acknowledged in time, of all that is delivered"
  }
}
