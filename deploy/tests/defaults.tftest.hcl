# The five required variables and nothing else: the numbers and rights that the promises rest on.
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

run "buckets" {
  assert {
    condition     = google_storage_bucket.source[0].location == "europe-west1"
    error_message = "the source bucket is made in the region"
  }
  assert {
    condition     = google_storage_bucket.target[0].location == "europe-west1"
    error_message = "the target bucket is made in the region"
  }
  assert {
    condition     = alltrue([for b in [google_storage_bucket.source[0], google_storage_bucket.target[0]] : b.uniform_bucket_level_access])
    error_message = "both buckets use uniform access"
  }
  assert {
    condition     = alltrue([for b in [google_storage_bucket.source[0], google_storage_bucket.target[0]] : b.public_access_prevention == "enforced"])
    error_message = "both buckets start private"
  }
  assert {
    condition     = alltrue([for b in [google_storage_bucket.source[0], google_storage_bucket.target[0]] : !b.force_destroy])
    error_message = "a bucket with objects is never deleted"
  }
}

run "notification" {
  assert {
    condition     = keys(google_storage_notification.events) == [""] && google_storage_notification.events[""].object_name_prefix == null && google_storage_notification.events[""].bucket == "demo-photos"
    error_message = "the source bucket notifies"
  }
  assert {
    condition     = google_storage_notification.events[""].topic == google_pubsub_topic.events.id
    error_message = "the notification goes to the topic of events"
  }
  assert {
    condition     = google_storage_notification.events[""].event_types == toset(["OBJECT_FINALIZE"])
    error_message = "OBJECT_FINALIZE only"
  }
  assert {
    condition     = google_storage_notification.events[""].payload_format == "JSON_API_V1"
    error_message = "the notification carries the object"
  }
  assert {
    condition     = google_pubsub_topic_iam_member.storage_publishes.role == "roles/pubsub.publisher" && google_pubsub_topic_iam_member.storage_publishes.topic == google_pubsub_topic.events.name
    error_message = "Cloud Storage may publish to the topic of events"
  }
  assert {
    condition     = google_pubsub_topic_iam_member.storage_publishes.member == "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
    error_message = "the publisher is Cloud Storage's own account"
  }
}

run "subscription" {
  assert {
    condition     = google_pubsub_subscription.push.topic == google_pubsub_topic.events.id
    error_message = "the subscription reads the topic of events"
  }
  assert {
    condition     = google_pubsub_subscription.push.push_config[0].push_endpoint == "${google_cloud_run_v2_service.thumbnailer.uri}/"
    error_message = "events are pushed to /"
  }
  assert {
    condition     = google_pubsub_subscription.push.push_config[0].oidc_token[0].service_account_email == google_service_account.push[0].email
    error_message = "events are pushed as the push account"
  }
  assert {
    condition     = google_pubsub_subscription.push.push_config[0].oidc_token[0].audience == google_cloud_run_v2_service.thumbnailer.uri
    error_message = "the token's audience is the service"
  }
  assert {
    condition     = google_pubsub_subscription.push.ack_deadline_seconds == 60
    error_message = "the ack deadline is 60 s"
  }
  assert {
    condition     = google_pubsub_subscription.push.retry_policy[0].minimum_backoff == "10s" && google_pubsub_subscription.push.retry_policy[0].maximum_backoff == "600s"
    error_message = "the backoff goes from 10 s to 600 s"
  }
  assert {
    condition     = google_pubsub_subscription.push.dead_letter_policy[0].max_delivery_attempts == 100
    error_message = "100 attempts before a dead letter"
  }
  assert {
    # The waits between them: 10, 20, 40, ... and at last 600 s each.
    condition = floor(0.5 + sum([
      for n in range(google_pubsub_subscription.push.dead_letter_policy[0].max_delivery_attempts - 1) :
      min(10 * pow(2, n), 600)
    ]) / 3600) == 16
    error_message = "the attempts take about 16 hours"
  }
  assert {
    condition     = google_pubsub_subscription.push.dead_letter_policy[0].dead_letter_topic == google_pubsub_topic.dead_letter.id
    error_message = "dead letters go to their own topic"
  }
  assert {
    condition     = google_pubsub_subscription.push.message_retention_duration == "604800s"
    error_message = "events are kept for seven days"
  }
  assert {
    condition     = google_pubsub_subscription.push.expiration_policy[0].ttl == ""
    error_message = "the subscription never expires"
  }
  assert {
    condition     = google_pubsub_subscription.push.filter == null
    error_message = "separate buckets need no filter"
  }
}

run "dead_letters" {
  assert {
    condition     = google_pubsub_subscription.dead_letter.topic == google_pubsub_topic.dead_letter.id && google_pubsub_topic.dead_letter.name != google_pubsub_topic.events.name
    error_message = "dead letters have a subscription of their own"
  }
  assert {
    condition     = google_pubsub_subscription.dead_letter.message_retention_duration == "2678400s"
    error_message = "dead letters are kept for 31 days"
  }
  assert {
    condition     = google_pubsub_subscription.dead_letter.expiration_policy[0].ttl == ""
    error_message = "the dead letters' subscription never expires"
  }
  assert {
    condition     = google_pubsub_topic_iam_member.agent_publishes_dead_letters.topic == google_pubsub_topic.dead_letter.name && google_pubsub_topic_iam_member.agent_publishes_dead_letters.role == "roles/pubsub.publisher"
    error_message = "Pub/Sub may publish dead letters"
  }
  assert {
    condition     = google_pubsub_subscription_iam_member.agent_acknowledges_events.subscription == google_pubsub_subscription.push.name && google_pubsub_subscription_iam_member.agent_acknowledges_events.role == "roles/pubsub.subscriber"
    error_message = "Pub/Sub may acknowledge what it forwards"
  }
  assert {
    condition = alltrue([for m in [
      google_pubsub_topic_iam_member.agent_publishes_dead_letters.member,
      google_pubsub_subscription_iam_member.agent_acknowledges_events.member,
      google_service_account_iam_member.pubsub_mints_push_tokens.member,
    ] : m == "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"])
    error_message = "Pub/Sub acts as its own account"
  }
}

run "service" {
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.ingress == "INGRESS_TRAFFIC_INTERNAL_ONLY"
    error_message = "the service is internal"
  }
  assert {
    condition     = !google_cloud_run_v2_service.thumbnailer.deletion_protection
    error_message = "terraform destroy removes the service"
  }
  assert {
    condition     = [for t in google_cloud_run_v2_service.thumbnailer.traffic : "${t.type} ${t.percent}"] == ["TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST 100"]
    error_message = "the newest revision gets all traffic, whatever was set by hand"
  }
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.template[0].execution_environment == "EXECUTION_ENVIRONMENT_GEN2"
    error_message = "the second-generation environment"
  }
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.template[0].timeout == "55s"
    error_message = "the request timeout is 55 s"
  }
  assert {
    condition = (
      one([for e in google_cloud_run_v2_service.thumbnailer.template[0].containers[0].env : e.value if e.name == "EVENT_TIMEOUT"]) == "50s" &&
      local.event_timeout_seconds < local.request_timeout_seconds && local.request_timeout_seconds < local.ack_deadline_seconds
    )
    error_message = "the event times out before the request, and the request before the ack deadline"
  }
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.template[0].max_instance_request_concurrency == 16
    error_message = "16 events at a time"
  }
  assert {
    # 5 MiB is the typical photo, 10 MiB the working set of one event, 70 % of the memory the budget.
    condition     = google_cloud_run_v2_service.thumbnailer.template[0].max_instance_request_concurrency * (5 + 10) <= 0.7 * 512
    error_message = "typical photos at full concurrency fit the budget"
  }
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.template[0].scaling[0].max_instance_count == 10
    error_message = "at most 10 instances"
  }
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.template[0].scaling[0].min_instance_count == 0
    error_message = "no instance, and no cost, while nothing happens"
  }
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.template[0].containers[0].image == var.image
    error_message = "the image is the one that was named"
  }
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.template[0].containers[0].resources[0].limits == tomap({ cpu = "1", memory = "512Mi" })
    error_message = "one CPU and 512 MiB"
  }
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.template[0].containers[0].resources[0].cpu_idle
    error_message = "CPU is billed during events only"
  }
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.template[0].containers[0].resources[0].startup_cpu_boost
    error_message = "startup has the CPU boost"
  }
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.template[0].containers[0].startup_probe[0].http_get[0].path == "/health"
    error_message = "the startup probe asks /health"
  }
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.template[0].containers[0].startup_probe[0].http_get[0].port == google_cloud_run_v2_service.thumbnailer.template[0].containers[0].ports[0].container_port
    error_message = "the probe asks the port that is served"
  }
  assert {
    condition = { for e in google_cloud_run_v2_service.thumbnailer.template[0].containers[0].env : e.name => e.value } == {
      TARGET_BUCKET        = "demo-thumbnails"
      SOURCE_BUCKETS       = "demo-photos"
      THUMBNAIL_PREFIX     = "thumbnails/"
      MAX_SOURCE_BYTES     = "104857600"
      MAX_SOURCE_PIXELS    = "250000000"
      EVENT_TIMEOUT        = "50s"
      GOOGLE_CLOUD_PROJECT = "demo-project"
    }
    error_message = "the container's environment"
  }
}

run "accounts" {
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.template[0].service_account == google_service_account.run[0].email
    error_message = "the service runs as the run account"
  }
  assert {
    condition     = google_service_account.run[0].account_id != google_service_account.push[0].account_id
    error_message = "the run and push accounts are separate"
  }
  assert {
    condition     = google_storage_bucket_iam_member.run_reads_source.bucket == "demo-photos" && google_storage_bucket_iam_member.run_reads_source.role == "roles/storage.objectViewer" && google_storage_bucket_iam_member.run_reads_source.member == "serviceAccount:${google_service_account.run[0].email}"
    error_message = "the run account reads the source, no more"
  }
  assert {
    condition     = google_storage_bucket_iam_member.run_writes_target.bucket == "demo-thumbnails" && google_storage_bucket_iam_member.run_writes_target.role == "roles/storage.objectUser" && google_storage_bucket_iam_member.run_writes_target.member == "serviceAccount:${google_service_account.run[0].email}"
    error_message = "the run account writes the target, no more"
  }
  assert {
    condition     = google_cloud_run_v2_service_iam_member.push_invokes.name == google_cloud_run_v2_service.thumbnailer.name && google_cloud_run_v2_service_iam_member.push_invokes.role == "roles/run.invoker" && google_cloud_run_v2_service_iam_member.push_invokes.member == "serviceAccount:${google_service_account.push[0].email}"
    error_message = "the push account invokes this service, no more"
  }
  assert {
    condition     = google_service_account_iam_member.pubsub_mints_push_tokens.service_account_id == "projects/-/serviceAccounts/${google_service_account.push[0].email}" && google_service_account_iam_member.pubsub_mints_push_tokens.role == "roles/iam.serviceAccountTokenCreator"
    error_message = "Pub/Sub may mint tokens of the push account"
  }
}

run "for_deploy_sh" {
  assert {
    condition     = output.revision == google_cloud_run_v2_service.thumbnailer.latest_created_revision
    error_message = "the newest revision is named, ready or not"
  }
  assert {
    condition     = output.sample_folder == "/"
    error_message = "the sample goes where pictures are looked for"
  }
}

run "off_by_default" {
  assert {
    condition     = google_pubsub_topic.events.kms_key_name == null && google_cloud_run_v2_service.thumbnailer.template[0].encryption_key == null && length(google_pubsub_topic.events.message_storage_policy) + length(google_cloud_run_v2_service.thumbnailer.binary_authorization) + length(google_cloud_run_v2_service.thumbnailer.template[0].vpc_access) == 0
    error_message = "no key, region, policy or network is asked for"
  }
  assert {
    condition     = length(google_pubsub_topic.results) + length(google_storage_notification.results) + length(google_logging_project_sink.refusals) + length(google_pubsub_topic_iam_member.storage_publishes_results) + length(google_pubsub_topic_iam_member.sink_publishes_results) == 0 && output.result_topic == ""
    error_message = "nothing is made to tell an app"
  }
  assert {
    condition     = length(google_cloud_scheduler_job.reconcile) == 0
    error_message = "nothing starts the reconcile job"
  }
  assert {
    condition = alltrue([for p in [
      google_monitoring_alert_policy.dead_letters, google_monitoring_alert_policy.errors,
      google_monitoring_alert_policy.backlog, google_monitoring_alert_policy.latency,
    ] : length(p.notification_channels) == 0])
    error_message = "alerts show in the console only"
  }
  assert {
    condition     = output.thumbnails == "gs://demo-thumbnails/thumbnails/" && output.source_bucket == "gs://demo-photos"
    error_message = "the outputs name both ends"
  }
}
