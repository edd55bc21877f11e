# What a hardened organization asks for, and several source buckets.
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

run "several_source_buckets" {
  variables {
    more_source_buckets = ["demo-scans", "demo-uploads"]
    include             = ["photos/**"]
    reconcile_schedule  = "0 3 * * *"
    # A bucket that was made isn't changed by later runs.
    labels = { team = "media" }
  }
  assert {
    condition     = one([for e in google_cloud_run_v2_service.thumbnailer.template[0].containers[0].env : e.value if e.name == "SOURCE_BUCKETS"]) == "demo-photos,demo-scans,demo-uploads"
    error_message = "the service knows every source bucket"
  }
  assert {
    condition     = toset([for n in google_storage_notification.events : "${n.bucket} ${n.object_name_prefix}"]) == toset(["demo-photos photos/", "demo-scans photos/", "demo-uploads photos/"])
    error_message = "every source bucket notifies, of the same folders"
  }
  assert {
    condition     = { for m in google_storage_bucket_iam_member.run_reads_more_sources : m.bucket => m.role if m.member == "serviceAccount:${google_service_account.run[0].email}" } == { demo-scans = "roles/storage.objectViewer", demo-uploads = "roles/storage.objectViewer" }
    error_message = "the run account reads every source bucket, no more"
  }
  assert {
    condition     = toset([for m in google_storage_bucket_iam_member.reconcile_lists : m.bucket]) == toset(["demo-photos", "demo-scans", "demo-uploads", "demo-thumbnails"])
    error_message = "the reconcile account lists every bucket"
  }
  assert {
    condition     = { for job in google_cloud_run_v2_job.reconcile : job.name => job.template[0].template[0].containers[0].args[1] } == { gcs-thumbnailer-reconcile = "demo-photos", gcs-thumbnailer-reconcile-2 = "demo-scans", gcs-thumbnailer-reconcile-3 = "demo-uploads" }
    error_message = "every source bucket has its reconcile job"
  }
  assert {
    condition     = { for key, s in google_cloud_scheduler_job.reconcile : s.name => endswith(s.http_target[0].uri, "/jobs/${s.name}:run") } == { gcs-thumbnailer-reconcile = true, gcs-thumbnailer-reconcile-2 = true, gcs-thumbnailer-reconcile-3 = true }
    error_message = "the schedule starts every job"
  }
}

run "accounts_of_ones_own" {
  variables {
    run_account  = "runner@accounts-project.iam.gserviceaccount.com"
    push_account = "pusher@accounts-project.iam.gserviceaccount.com"
  }
  assert {
    condition     = length(google_service_account.run) + length(google_service_account.push) == 0
    error_message = "no account is made beside one's own"
  }
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.template[0].service_account == "runner@accounts-project.iam.gserviceaccount.com" && google_storage_bucket_iam_member.run_reads_source.member == "serviceAccount:runner@accounts-project.iam.gserviceaccount.com" && google_storage_bucket_iam_member.run_writes_target.member == "serviceAccount:runner@accounts-project.iam.gserviceaccount.com" && output.run_account == "runner@accounts-project.iam.gserviceaccount.com"
    error_message = "one's own run account runs, reads and writes"
  }
  assert {
    condition     = google_pubsub_subscription.push.push_config[0].oidc_token[0].service_account_email == "pusher@accounts-project.iam.gserviceaccount.com" && google_cloud_run_v2_service_iam_member.push_invokes.member == "serviceAccount:pusher@accounts-project.iam.gserviceaccount.com" && google_service_account_iam_member.pubsub_mints_push_tokens.service_account_id == "projects/-/serviceAccounts/pusher@accounts-project.iam.gserviceaccount.com" && output.push_account == "pusher@accounts-project.iam.gserviceaccount.com"
    error_message = "one's own push account calls the service"
  }
}

run "hardened" {
  variables {
    result_topic                = "ready"
    labels                      = { team = "media" }
    kms_key                     = "projects/keys/locations/europe-west1/keyRings/r/cryptoKeys/k"
    allowed_persistence_regions = ["europe-west1"]
    binary_authorization        = "default"
    vpc_access                  = { network = "net", subnetwork = "sub" }
  }
  assert {
    condition = alltrue([for labels in [
      google_storage_bucket.source[0].labels, google_storage_bucket.target[0].labels,
      google_cloud_run_v2_service.thumbnailer.labels, google_cloud_run_v2_job.reconcile["1"].labels,
      google_pubsub_topic.events.labels, google_pubsub_topic.dead_letter.labels, google_pubsub_topic.results[0].labels,
      google_pubsub_subscription.push.labels, google_pubsub_subscription.dead_letter.labels,
    ] : labels == tomap({ team = "media" })])
    error_message = "everything that takes labels has them"
  }
  assert {
    condition = alltrue([for key in [
      google_pubsub_topic.events.kms_key_name, google_pubsub_topic.dead_letter.kms_key_name, google_pubsub_topic.results[0].kms_key_name,
      google_cloud_run_v2_service.thumbnailer.template[0].encryption_key, google_cloud_run_v2_job.reconcile["1"].template[0].template[0].encryption_key,
    ] : key == "projects/keys/locations/europe-west1/keyRings/r/cryptoKeys/k"])
    error_message = "topics, service and job are encrypted by the key"
  }
  assert {
    condition = alltrue([for topic in [google_pubsub_topic.events, google_pubsub_topic.dead_letter, google_pubsub_topic.results[0]] :
    topic.message_storage_policy[0].allowed_persistence_regions == toset(["europe-west1"])])
    error_message = "messages stay in their regions"
  }
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.binary_authorization[0].use_default && google_cloud_run_v2_job.reconcile["1"].binary_authorization[0].use_default
    error_message = "images must meet the project's policy"
  }
  assert {
    condition = alltrue([for vpc in [
      google_cloud_run_v2_service.thumbnailer.template[0].vpc_access[0], google_cloud_run_v2_job.reconcile["1"].template[0].template[0].vpc_access[0],
    ] : vpc.egress == "ALL_TRAFFIC" && vpc.network_interfaces[0].network == "net" && vpc.network_interfaces[0].subnetwork == "sub"])
    error_message = "service and job go out by the network"
  }
}

run "a_policy_by_name" {
  variables {
    binary_authorization = "projects/demo-project/platforms/cloudRun/policies/strict"
  }
  assert {
    condition     = google_cloud_run_v2_service.thumbnailer.binary_authorization[0].policy == "projects/demo-project/platforms/cloudRun/policies/strict" && google_cloud_run_v2_service.thumbnailer.binary_authorization[0].use_default == null
    error_message = "images must meet the policy that is named"
  }
}
