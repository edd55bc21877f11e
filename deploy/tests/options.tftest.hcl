# Every option, switched from its default.
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

run "existing_buckets" {
  variables {
    create_source_bucket = false
    create_target_bucket = false
  }
  assert {
    condition     = length(google_storage_bucket.source) + length(google_storage_bucket.target) == 0
    error_message = "existing buckets are left alone"
  }
  assert {
    condition     = google_storage_notification.events[""].bucket == "demo-photos" && google_storage_bucket_iam_member.run_reads_source.bucket == "demo-photos"
    error_message = "an existing source is used"
  }
  assert {
    condition     = google_storage_bucket_iam_member.run_writes_target.bucket == "demo-thumbnails"
    error_message = "an existing target is used"
  }
}

run "shared_bucket" {
  variables {
    target_bucket    = "demo-photos"
    thumbnail_prefix = "small/"
  }
  assert {
    condition     = length(google_storage_bucket.source) == 1 && length(google_storage_bucket.target) == 0
    error_message = "a shared bucket is made once"
  }
  assert {
    condition     = google_pubsub_subscription.push.filter == "NOT hasPrefix(attributes.objectId, \"small/\")"
    error_message = "a shared bucket's thumbnails are filtered out"
  }
  assert {
    condition     = google_storage_bucket_iam_member.run_writes_target.bucket == "demo-photos"
    error_message = "thumbnails go to the shared bucket"
  }
  assert {
    condition     = one([for e in google_cloud_run_v2_service.thumbnailer.template[0].containers[0].env : e.value if e.name == "THUMBNAIL_PREFIX"]) == "small/"
    error_message = "the service knows the prefix"
  }
}

run "renditions" {
  variables {
    target_bucket = "demo-photos"
    renditions = [
      "thumbnails/{name}?size=128x128",
      "web/{dir}{stem}{.webp}?size=800x&format=webp&quality=70",
      "{dir}small/{stem:firebase}?size=x50&fit=cover&format=source",
      "a%20b/{name}?size=9x9",
    ]
  }
  assert {
    condition     = one([for e in google_cloud_run_v2_service.thumbnailer.template[0].containers[0].env : e.value if e.name == "RENDITIONS"]) == "thumbnails/{name}?size=128x128 web/{dir}{stem}{.webp}?size=800x&format=webp&quality=70 {dir}small/{stem:firebase}?size=x50&fit=cover&format=source a%20b/{name}?size=9x9"
    error_message = "the service knows the renditions"
  }
  assert {
    condition     = length([for e in google_cloud_run_v2_service.thumbnailer.template[0].containers[0].env : e if e.name == "THUMBNAIL_PREFIX"]) == 0
    error_message = "renditions leave the prefix out"
  }
  assert {
    condition     = google_pubsub_subscription.push.filter == "NOT hasPrefix(attributes.objectId, \"thumbnails/\") AND NOT hasPrefix(attributes.objectId, \"web/\")"
    error_message = "the literal beginnings are filtered out"
  }
}

run "sources" {
  variables {
    source_types  = ["jpg", "image/*"]
    include       = ["photos/2026/**", "photos/**", "scans/*/front.png"]
    exclude       = ["**/drafts/**", "photos/old?.jpg"]
    copy_metadata = true
  }
  assert {
    condition     = { for e in google_cloud_run_v2_service.thumbnailer.template[0].containers[0].env : e.name => e.value if contains(["SOURCE_TYPES", "INCLUDE", "EXCLUDE", "COPY_METADATA"], e.name) } == { SOURCE_TYPES = "jpg,image/*", INCLUDE = "photos/2026/**\nphotos/**\nscans/*/front.png", EXCLUDE = "**/drafts/**\nphotos/old?.jpg", COPY_METADATA = "true" }
    error_message = "the service knows its sources"
  }
  assert {
    condition     = { for folder, n in google_storage_notification.events : folder => n.object_name_prefix } == { "photos/" = "photos/", "scans/" = "scans/" }
    error_message = "only the folders with pictures raise events, none twice"
  }
  assert {
    condition     = output.sample_folder == "/photos/"
    error_message = "the sample goes into a folder of include"
  }
}

run "a_pattern_without_a_folder" {
  variables {
    include = ["photos/**", "**/front.png"]
  }
  assert {
    condition     = keys(google_storage_notification.events) == [""]
    error_message = "a pattern without a folder takes the whole bucket"
  }
}

run "more_folders_than_notifications" {
  variables {
    include = [for number in range(11) : "folder-${number}/*"]
  }
  assert {
    condition     = keys(google_storage_notification.events) == [""]
    error_message = "more folders than a bucket takes notifications become one for all"
  }
}

run "sizes" {
  variables {
    memory_mib        = 1024
    max_source_bytes  = 209715200
    max_source_pixels = 1000000
    concurrency       = 8
    max_instances     = 3
    cache_control     = "public, max-age=60"
  }
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.template[0].containers[0].resources[0].limits["memory"] == "1024Mi"
    error_message = "memory_mib reaches the instance"
  }
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.template[0].max_instance_request_concurrency == 8
    error_message = "concurrency reaches the service"
  }
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.template[0].scaling[0].max_instance_count == 3
    error_message = "max_instances reaches the service"
  }
  assert {
    condition = (
      { for e in google_cloud_run_v2_service.thumbnailer.template[0].containers[0].env : e.name => e.value }["MAX_SOURCE_BYTES"] == "209715200" &&
      { for e in google_cloud_run_v2_service.thumbnailer.template[0].containers[0].env : e.name => e.value }["MAX_SOURCE_PIXELS"] == "1000000"
    )
    error_message = "the limits reach the container"
  }
  assert {
    condition     = one([for e in google_cloud_run_v2_service.thumbnailer.template[0].containers[0].env : e.value if e.name == "CACHE_CONTROL"]) == "public, max-age=60"
    error_message = "cache_control reaches the container"
  }
}

run "deletes" {
  variables {
    propagate_deletes = true
  }
  assert {
    condition     = google_storage_notification.events[""].event_types == toset(["OBJECT_FINALIZE", "OBJECT_DELETE", "OBJECT_ARCHIVE"])
    error_message = "deletes and archives are announced"
  }
  assert {
    condition     = one([for e in google_cloud_run_v2_service.thumbnailer.template[0].containers[0].env : e.value if e.name == "PROPAGATE_DELETES"]) == "true"
    error_message = "the service propagates deletes"
  }
}

run "reconcile" {
  assert {
    condition     = google_cloud_run_v2_job.reconcile["1"].template[0].template[0].containers[0].args == tolist(["reconcile", "demo-photos", "--topic", google_pubsub_topic.events.id])
    error_message = "the job compares the source and publishes to the topic"
  }
  assert {
    condition     = google_cloud_run_v2_job.reconcile["1"].template[0].template[0].containers[0].image == var.image
    error_message = "the job runs the service's image"
  }
  assert {
    condition     = { for e in google_cloud_run_v2_job.reconcile["1"].template[0].template[0].containers[0].env : e.name => e.value } == merge({ for e in google_cloud_run_v2_service.thumbnailer.template[0].containers[0].env : e.name => e.value }, { LOG_FORMAT = "json" })
    error_message = "the job has the service's configuration and writes JSON"
  }
  assert {
    condition     = google_cloud_run_v2_job.reconcile["1"].template[0].template[0].service_account == google_service_account.reconcile.email
    error_message = "the job runs as the reconcile account"
  }
  assert {
    condition     = !google_cloud_run_v2_job.reconcile["1"].deletion_protection
    error_message = "terraform destroy removes the job"
  }
  assert {
    condition     = google_cloud_run_v2_job.reconcile["1"].template[0].template[0].timeout == "21600s"
    error_message = "a run has six hours"
  }
  assert {
    condition     = { for k, m in google_storage_bucket_iam_member.reconcile_lists : m.bucket => m.role if m.member == google_service_account.reconcile.member } == { "demo-photos" = "roles/storage.objectViewer", "demo-thumbnails" = "roles/storage.objectViewer" }
    error_message = "the reconcile account lists both buckets and writes neither"
  }
  assert {
    condition     = google_pubsub_topic_iam_member.reconcile_publishes.topic == google_pubsub_topic.events.name && google_pubsub_topic_iam_member.reconcile_publishes.role == "roles/pubsub.publisher" && google_pubsub_topic_iam_member.reconcile_publishes.member == google_service_account.reconcile.member
    error_message = "the reconcile account publishes to the topic of events"
  }
  assert {
    condition     = google_cloud_run_v2_job_iam_member.reconcile_starts["1"].name == google_cloud_run_v2_job.reconcile["1"].name && google_cloud_run_v2_job_iam_member.reconcile_starts["1"].role == "roles/run.invoker" && google_cloud_run_v2_job_iam_member.reconcile_starts["1"].member == google_service_account.reconcile.member
    error_message = "the reconcile account starts its own job"
  }
  assert {
    condition     = output.reconcile == "gcloud run jobs execute gcs-thumbnailer-reconcile --project=demo-project --region=europe-west1"
    error_message = "the outputs say how to start the job"
  }
}

run "reconcile_by_schedule" {
  variables {
    reconcile_schedule = "0 3 * * *"
  }
  assert {
    condition     = google_cloud_scheduler_job.reconcile["1"].schedule == "0 3 * * *" && google_cloud_scheduler_job.reconcile["1"].time_zone == "Etc/UTC"
    error_message = "the schedule is in UTC"
  }
  assert {
    condition     = google_cloud_scheduler_job.reconcile["1"].http_target[0].uri == "https://run.googleapis.com/v2/projects/demo-project/locations/europe-west1/jobs/gcs-thumbnailer-reconcile:run" && google_cloud_scheduler_job.reconcile["1"].http_target[0].http_method == "POST"
    error_message = "the schedule starts the job"
  }
  assert {
    condition     = google_cloud_scheduler_job.reconcile["1"].http_target[0].oauth_token[0].service_account_email == google_service_account.reconcile.email
    error_message = "the schedule starts the job as the reconcile account"
  }
}

run "reconcile_of_a_shared_bucket" {
  variables {
    target_bucket = "demo-photos"
  }
  assert {
    condition     = [for m in google_storage_bucket_iam_member.reconcile_lists : m.bucket] == ["demo-photos"]
    error_message = "a shared bucket is granted once"
  }
}

run "another_name" {
  variables {
    name = "second"
  }
  assert {
    condition = alltrue([for n in [
      google_cloud_run_v2_service.thumbnailer.name, google_pubsub_topic.events.name, google_pubsub_subscription.push.name,
      google_pubsub_topic.dead_letter.name, google_pubsub_subscription.dead_letter.name,
      google_service_account.run[0].account_id, google_service_account.push[0].account_id,
      google_logging_metric.events.name, google_monitoring_alert_policy.errors.display_name,
    ] : startswith(n, "second")])
    error_message = "a second deployment shares no name with the first"
  }
}

run "a_made_bucket_is_not_swapped_for_another" {
  command         = plan
  expect_failures = [google_storage_bucket.source, google_storage_bucket.target]
  variables {
    source_bucket = "other-photos"
    target_bucket = "other-thumbnails"
  }
}
