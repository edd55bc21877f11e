# What tells the app: stored objects and refusals on one topic.
mock_provider "google" {
  source = "./tests/mocks"
}

variables {
  project       = "demo-project"
  region        = "europe-west1"
  source_bucket = "demo-photos"
  target_bucket = "demo-thumbnails"
  image         = "europe-west1-docker.pkg.dev/demo-project/gcs-thumbnailer/gcs-thumbnailer@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
}

run "a_topic_made" {
  variables {
    result_topic = "ready"
  }
  assert {
    condition     = google_pubsub_topic.results[0].name == "ready" && output.result_topic == "projects/demo-project/topics/ready"
    error_message = "a bare name makes the topic"
  }
  assert {
    condition     = { for prefix, n in google_storage_notification.results : prefix => n.object_name_prefix if n.bucket == "demo-thumbnails" } == { "thumbnails/" = "thumbnails/" }
    error_message = "the target bucket tells of what lies under the prefix"
  }
  assert {
    condition     = alltrue([for n in google_storage_notification.results : n.topic == "projects/demo-project/topics/ready" && n.payload_format == "JSON_API_V1"])
    error_message = "the notification carries the output, with its metadata"
  }
  assert {
    condition     = alltrue([for n in google_storage_notification.results : n.event_types == toset(["OBJECT_FINALIZE"])])
    error_message = "what is stored is told"
  }
  assert {
    condition     = google_pubsub_topic_iam_member.storage_publishes_results[0].member == "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com" && google_pubsub_topic_iam_member.storage_publishes_results[0].role == "roles/pubsub.publisher" && google_pubsub_topic_iam_member.storage_publishes_results[0].topic == "ready"
    error_message = "Cloud Storage publishes on the result topic, no more"
  }
  assert {
    condition     = google_logging_project_sink.refusals[0].destination == "pubsub.googleapis.com/projects/demo-project/topics/ready"
    error_message = "refusals reach the same topic"
  }
  assert {
    condition     = google_logging_project_sink.refusals[0].filter == "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"gcs-thumbnailer\" AND jsonPayload.outcome=\"refused\""
    error_message = "the sink takes this service's refusals, no more"
  }
  assert {
    condition     = google_logging_project_sink.refusals[0].unique_writer_identity && google_pubsub_topic_iam_member.sink_publishes_results[0].member == google_logging_project_sink.refusals[0].writer_identity && google_pubsub_topic_iam_member.sink_publishes_results[0].role == "roles/pubsub.publisher" && google_pubsub_topic_iam_member.sink_publishes_results[0].topic == "ready"
    error_message = "the sink's own writer publishes on the result topic, no more"
  }
  assert {
    condition     = length(jsondecode(google_monitoring_dashboard.thumbnailer.dashboard_json).gridLayout.widgets) == 11 && strcontains(google_monitoring_dashboard.thumbnailer.dashboard_json, "resource.labels.topic_id=\\\"ready\\\"") && strcontains(google_monitoring_dashboard.thumbnailer.dashboard_json, "resource.labels.name=\\\"gcs-thumbnailer-refused\\\"")
    error_message = "the dashboard shows what the app is told"
  }
}

run "a_topic_taken" {
  variables {
    result_topic = "projects/app-project/topics/pictures"
  }
  assert {
    condition     = length(google_pubsub_topic.results) == 0 && output.result_topic == "projects/app-project/topics/pictures"
    error_message = "a topic that exists is left alone"
  }
  assert {
    condition = alltrue([for m in [google_pubsub_topic_iam_member.storage_publishes_results[0], google_pubsub_topic_iam_member.sink_publishes_results[0]] :
    m.project == "app-project" && m.topic == "pictures"])
    error_message = "both publishers get their right on the topic that was taken"
  }
}

run "deletes_told" {
  variables {
    result_topic      = "ready"
    propagate_deletes = true
  }
  assert {
    condition     = google_storage_notification.results["thumbnails/"].event_types == toset(["OBJECT_FINALIZE", "OBJECT_DELETE", "OBJECT_ARCHIVE"])
    error_message = "where deletes propagate, they are told"
  }
}

run "several_renditions" {
  variables {
    result_topic  = "ready"
    target_bucket = "demo-photos"
    renditions = [
      "thumbnails/{name}?size=128x128",
      "thumbnails/{dir}{stem}{.webp}?size=9x9&format=webp",
      "thumbnails/large-{name}?size=800x",
      "a%20b/{name}?size=9x9",
    ]
  }
  assert {
    condition     = toset(keys(google_storage_notification.results)) == toset(["thumbnails/", "a"])
    error_message = "one notification for each literal beginning, none within another"
  }
}

run "a_rendition_beside_its_picture" {
  variables {
    result_topic = "ready"
    renditions   = ["{dir}small/{stem}?size=9x9", "thumbnails/{name}?size=128x128"]
  }
  assert {
    condition     = keys(google_storage_notification.results) == [""] && google_storage_notification.results[""].object_name_prefix == null
    error_message = "a name that begins with a placeholder takes the whole bucket"
  }
}

run "more_renditions_than_notifications" {
  variables {
    result_topic  = "ready"
    target_bucket = "demo-photos"
    renditions    = [for number in range(6) : "r${number}%20/{name}?size=9x9"]
  }
  assert {
    condition     = keys(google_storage_notification.results) == [""]
    error_message = "more beginnings than a bucket takes notifications become one for all"
  }
}
