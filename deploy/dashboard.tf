locals {
  event_metric = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.events.name}\" AND resource.type=\"cloud_run_revision\""

  distribution_metric = {
    for field, metric in google_logging_metric.distribution : field =>
    "metric.type=\"logging.googleapis.com/user/${metric.name}\" AND resource.type=\"cloud_run_revision\""
  }

  run_metric    = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${google_cloud_run_v2_service.thumbnailer.name}\""
  push_metric   = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${google_pubsub_subscription.push.name}\""
  letter_metric = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${google_pubsub_subscription.dead_letter.name}\""

  # Of a topic in another project, that one's metrics are to be looked at there.
  result_metric = "resource.type=\"pubsub_topic\" AND resource.labels.topic_id=\"${local.result_topic_name}\" AND metric.type=\"pubsub.googleapis.com/topic/send_message_operation_count\""
  sink_metric   = "resource.type=\"logging_sink\" AND resource.labels.name=\"${var.name}-refused\" AND metric.type=\"logging.googleapis.com/exports/error_count\""

  # One line a series: which points, how each series is aligned, and how the series are put together.
  charts = concat([
    {
      title = "Events a second, by outcome", unit = "1/s", plot = "STACKED_AREA"
      series = [
        { legend = "", filter = local.event_metric, align = "ALIGN_RATE", reduce = "REDUCE_SUM", by = ["metric.label.outcome"] },
      ]
    },
    {
      title = "Not made, by reason", unit = "1/s", plot = "STACKED_BAR"
      series = [
        { legend = "", filter = "${local.event_metric} AND metric.labels.outcome=monitoring.regex.full_match(\"refused|failed|malformed\")", align = "ALIGN_RATE", reduce = "REDUCE_SUM", by = ["metric.label.outcome", "metric.label.reason"] },
      ]
    },
    {
      title = "Time per event, 50th and 99th percentile", unit = "ms", plot = "LINE"
      series = [
        { legend = "50 %", filter = local.distribution_metric["total_ms"], align = "ALIGN_DELTA", reduce = "REDUCE_PERCENTILE_50", by = [] },
        { legend = "99 %", filter = local.distribution_metric["total_ms"], align = "ALIGN_DELTA", reduce = "REDUCE_PERCENTILE_99", by = [] },
      ]
    },
    {
      title = "Time per stage, 99th percentile", unit = "ms", plot = "LINE"
      series = [
        for stage in ["open_ms", "admit_ms", "read_ms", "queue_ms", "render_ms", "write_ms"] :
        { legend = stage, filter = local.distribution_metric[stage], align = "ALIGN_DELTA", reduce = "REDUCE_PERCENTILE_99", by = [] }
      ]
    },
    {
      title = "Bytes, 50th percentile", unit = "By", plot = "LINE"
      series = [
        for field in ["source_bytes", "thumbnail_bytes"] :
        { legend = field, filter = local.distribution_metric[field], align = "ALIGN_DELTA", reduce = "REDUCE_PERCENTILE_50", by = [] }
      ]
    },
    {
      title = "Oldest event that waits", unit = "s", plot = "LINE"
      series = [
        { legend = "", filter = "${local.push_metric} AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\"", align = "ALIGN_MAX", reduce = "REDUCE_MAX", by = [] },
      ]
    },
    {
      title = "Events that wait, and dead letters", unit = "1", plot = "LINE"
      series = [
        { legend = "waiting", filter = "${local.push_metric} AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\"", align = "ALIGN_MAX", reduce = "REDUCE_MAX", by = [] },
        { legend = "dead letters", filter = "${local.letter_metric} AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\"", align = "ALIGN_MAX", reduce = "REDUCE_MAX", by = [] },
      ]
    },
    {
      title = "Answers a second", unit = "1/s", plot = "STACKED_AREA"
      series = [
        { legend = "", filter = "${local.run_metric} AND metric.type=\"run.googleapis.com/request_count\"", align = "ALIGN_RATE", reduce = "REDUCE_SUM", by = ["metric.label.response_code"] },
      ]
    },
    {
      title = "Instances (at most ${var.max_instances})", unit = "1", plot = "STACKED_AREA"
      series = [
        { legend = "", filter = "${local.run_metric} AND metric.type=\"run.googleapis.com/container/instance_count\"", align = "ALIGN_MAX", reduce = "REDUCE_SUM", by = ["metric.label.state"] },
      ]
    },
    {
      title = "CPU and memory in use (1 is all of it), 99th percentile", unit = "1", plot = "LINE"
      series = [
        { legend = "CPU", filter = "${local.run_metric} AND metric.type=\"run.googleapis.com/container/cpu/utilizations\"", align = "ALIGN_DELTA", reduce = "REDUCE_PERCENTILE_99", by = [] },
        { legend = "memory", filter = "${local.run_metric} AND metric.type=\"run.googleapis.com/container/memory/utilizations\"", align = "ALIGN_DELTA", reduce = "REDUCE_PERCENTILE_99", by = [] },
      ]
    },
    ], local.results == 0 ? [] : [
    {
      title = "Messages to the app a second, and refusals that couldn't be sent", unit = "1/s", plot = "LINE"
      series = [
        { legend = "sent", filter = local.result_metric, align = "ALIGN_RATE", reduce = "REDUCE_SUM", by = [] },
        { legend = "not sent", filter = local.sink_metric, align = "ALIGN_RATE", reduce = "REDUCE_SUM", by = [] },
      ]
    },
  ])
}

resource "google_monitoring_dashboard" "thumbnailer" {
  project = var.project
  dashboard_json = jsonencode({
    displayName = var.name
    gridLayout = {
      columns = "2"
      widgets = [
        for chart in local.charts : {
          title = chart.title
          xyChart = {
            chartOptions = { mode = "COLOR" }
            yAxis        = { scale = "LINEAR", label = chart.unit }
            dataSets = [
              for series in chart.series : {
                plotType       = chart.plot
                targetAxis     = "Y1"
                legendTemplate = series.legend
                timeSeriesQuery = {
                  timeSeriesFilter = {
                    filter = series.filter
                    aggregation = {
                      alignmentPeriod    = "60s"
                      perSeriesAligner   = series.align
                      crossSeriesReducer = series.reduce
                      groupByFields      = series.by
                    }
                  }
                }
              }
            ]
          }
        }
      ]
    }
  })
}

output "dashboard" {
  description = "Id of the dashboard in Cloud Monitoring."
  value       = google_monitoring_dashboard.thumbnailer.id
}
