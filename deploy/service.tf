# What the service runs as: it reads pictures and writes thumbnails, and may do nothing else.
resource "google_service_account" "run" {
  count = var.run_account == null ? 1 : 0

  project      = var.project
  account_id   = "${var.name}-run"
  display_name = "${var.name}: reads pictures, writes thumbnails"
}

# What Pub/Sub calls the service as: it may call this service, and may do nothing else.
resource "google_service_account" "push" {
  count = var.push_account == null ? 1 : 0

  project      = var.project
  account_id   = "${var.name}-push"
  display_name = "${var.name}: delivers events to the service"
}

locals {
  run_account  = var.run_account == null ? google_service_account.run[0].email : var.run_account
  push_account = var.push_account == null ? google_service_account.push[0].email : var.push_account
}

# objectViewer, and not legacyObjectReader: without the right to list, Cloud Storage answers 403 for an object that is
# gone, and a deleted picture would look like a missing permission.
resource "google_storage_bucket_iam_member" "run_reads_source" {
  bucket = local.source_bucket
  role   = "roles/storage.objectViewer"
  member = "serviceAccount:${local.run_account}"
}

resource "google_storage_bucket_iam_member" "run_reads_more_sources" {
  for_each = toset(var.more_source_buckets)

  bucket = each.key
  role   = "roles/storage.objectViewer"
  member = "serviceAccount:${local.run_account}"
}

# objectUser, and not objectCreator: a newer picture replaces its thumbnail, and looking at the old one is a read.
resource "google_storage_bucket_iam_member" "run_writes_target" {
  bucket = local.target_bucket
  role   = "roles/storage.objectUser"
  member = "serviceAccount:${local.run_account}"
}

locals {
  # EVENT_TIMEOUT < the request's timeout < the ack deadline: the service gives up and answers before Cloud Run cuts
  # the request, and Cloud Run cuts it before Pub/Sub delivers the event a second time.
  event_timeout_seconds   = 50
  request_timeout_seconds = 55
  ack_deadline_seconds    = 60

  environment = merge(
    {
      TARGET_BUCKET        = local.target_bucket
      SOURCE_BUCKETS       = join(",", local.source_buckets)
      MAX_SOURCE_BYTES     = tostring(var.max_source_bytes)
      MAX_SOURCE_PIXELS    = tostring(var.max_source_pixels)
      EVENT_TIMEOUT        = "${local.event_timeout_seconds}s"
      GOOGLE_CLOUD_PROJECT = var.project
    },
    length(var.renditions) == 0 ? { THUMBNAIL_PREFIX = var.thumbnail_prefix } : { RENDITIONS = join(" ", var.renditions) },
    var.cache_control == "" ? {} : { CACHE_CONTROL = var.cache_control },
    var.source_types == null ? {} : { SOURCE_TYPES = join(",", coalesce(var.source_types, [])) },
    length(var.include) == 0 ? {} : { INCLUDE = join("\n", var.include) },
    length(var.exclude) == 0 ? {} : { EXCLUDE = join("\n", var.exclude) },
    var.copy_metadata ? { COPY_METADATA = "true" } : {},
    var.propagate_deletes ? { PROPAGATE_DELETES = "true" } : {},
  )
}

resource "google_cloud_run_v2_service" "thumbnailer" {
  project  = var.project
  location = var.region
  name     = var.name
  labels   = var.labels

  # Pub/Sub of the same project counts as internal; nothing outside can even ask.
  ingress = "INGRESS_TRAFFIC_INTERNAL_ONLY"

  # The service holds no state, and terraform destroy should remove it.
  deletion_protection = false

  # Stated, so that a roll back by hand in the console doesn't outlive the next apply: without it the traffic would stay
  # with the old revision, and a new one would get none.
  traffic {
    type    = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
    percent = 100
  }

  dynamic "binary_authorization" {
    for_each = var.binary_authorization[*]
    content {
      use_default = binary_authorization.value == "default" ? true : null
      policy      = binary_authorization.value == "default" ? null : binary_authorization.value
    }
  }

  template {
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    encryption_key                   = var.kms_key
    service_account                  = local.run_account
    timeout                          = "${local.request_timeout_seconds}s"
    max_instance_request_concurrency = var.concurrency

    scaling {
      min_instance_count = 0
      max_instance_count = var.max_instances
    }

    dynamic "vpc_access" {
      for_each = var.vpc_access[*]
      content {
        egress = vpc_access.value.egress
        network_interfaces {
          network    = vpc_access.value.network
          subnetwork = vpc_access.value.subnetwork
        }
      }
    }

    containers {
      image = var.image

      ports {
        container_port = 8080
      }

      resources {
        limits = {
          cpu    = "1"
          memory = "${var.memory_mib}Mi"
        }
        # CPU is given, and billed, only while an event is being worked on.
        cpu_idle          = true
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = local.environment
        content {
          name  = env.key
          value = env.value
        }
      }

      startup_probe {
        initial_delay_seconds = 0
        period_seconds        = 1
        timeout_seconds       = 1
        failure_threshold     = 30
        http_get {
          path = "/health"
          port = 8080
        }
      }
    }
  }
}

resource "google_cloud_run_v2_service_iam_member" "push_invokes" {
  project  = var.project
  location = var.region
  name     = google_cloud_run_v2_service.thumbnailer.name
  role     = "roles/run.invoker"
  member   = "serviceAccount:${local.push_account}"
}
