# A wrong variable is refused before anything is made.
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

run "an_empty_prefix_is_refused" {
  command         = plan
  expect_failures = [var.thumbnail_prefix]
  variables {
    thumbnail_prefix = ""
  }
}

run "a_prefix_that_is_no_folder_is_refused" {
  command         = plan
  expect_failures = [var.thumbnail_prefix]
  variables {
    thumbnail_prefix = "thumb"
  }
}

run "a_prefix_that_breaks_the_filter_is_refused" {
  command         = plan
  expect_failures = [var.thumbnail_prefix]
  variables {
    thumbnail_prefix = "a\"b/"
  }
}

run "a_prefix_too_long_for_the_filter_is_refused" {
  command         = plan
  expect_failures = [var.thumbnail_prefix]
  variables {
    thumbnail_prefix = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/"
  }
}

run "a_rendition_with_an_unknown_placeholder_is_refused" {
  command         = plan
  expect_failures = [var.renditions]
  variables {
    renditions = ["a/{nome}{name}?size=1x1"]
  }
}

run "a_rendition_with_an_unknown_parameter_is_refused" {
  command         = plan
  expect_failures = [var.renditions]
  variables {
    renditions = ["a/{name}?size=1x1&crop=yes"]
  }
}

run "a_rendition_that_loses_the_folder_is_refused" {
  command         = plan
  expect_failures = [var.renditions]
  variables {
    renditions = ["a/{stem}?size=1x1"]
  }
}

run "a_rendition_without_a_size_is_refused" {
  command         = plan
  expect_failures = [var.renditions]
  variables {
    renditions = ["a/{name}?format=png"]
  }
}

run "too_many_renditions_are_refused" {
  command         = plan
  expect_failures = [var.renditions]
  variables {
    renditions = [for number in range(17) : "r${number}/{name}?size=1x1"]
  }
}

run "renditions_beside_a_prefix_are_refused" {
  command         = plan
  expect_failures = [var.renditions]
  variables {
    thumbnail_prefix = "small/"
    renditions       = ["a/{name}?size=1x1"]
  }
}

run "a_filter_too_long_is_refused" {
  command         = plan
  expect_failures = [google_pubsub_subscription.push]
  variables {
    target_bucket = "demo-photos"
    renditions    = [for number in range(9) : "folder-${number}/{name}?size=1x1"]
  }
}

run "an_image_by_tag_is_refused" {
  command         = plan
  expect_failures = [var.image]
  variables {
    image = "europe-west1-docker.pkg.dev/demo-project/gcs-thumbnailer/gcs-thumbnailer:latest"
  }
}

run "a_name_too_long_for_an_account_is_refused" {
  command         = plan
  expect_failures = [var.name]
  variables {
    name = "a-name-of-21-letters-"
  }
}

run "a_picture_that_the_memory_cannot_hold_is_refused" {
  command         = plan
  expect_failures = [var.memory_mib]
  variables {
    max_source_bytes = 524288000
  }
}

run "less_memory_than_cloud_run_takes_is_refused" {
  command         = plan
  expect_failures = [var.memory_mib]
  variables {
    memory_mib       = 256
    max_source_bytes = 1048576
  }
}

run "no_source_bytes_are_refused" {
  command         = plan
  expect_failures = [var.max_source_bytes]
  variables {
    max_source_bytes = 0
  }
}

run "no_source_pixels_are_refused" {
  command         = plan
  expect_failures = [var.max_source_pixels]
  variables {
    max_source_pixels = 0
  }
}

run "no_concurrency_is_refused" {
  command         = plan
  expect_failures = [var.concurrency]
  variables {
    concurrency = 0
  }
}

run "no_instances_are_refused" {
  command         = plan
  expect_failures = [var.max_instances]
  variables {
    max_instances = 0
  }
}

run "a_schedule_that_is_no_cron_line_is_refused" {
  command         = plan
  expect_failures = [var.reconcile_schedule]
  variables {
    reconcile_schedule = "daily"
  }
}

run "a_result_topic_that_is_no_name_is_refused" {
  command         = plan
  expect_failures = [var.result_topic]
  variables {
    result_topic = "topics/ready"
  }
}

run "results_among_the_events_are_refused" {
  command         = plan
  expect_failures = [var.result_topic]
  variables {
    result_topic = "projects/demo-project/topics/gcs-thumbnailer"
  }
}

run "a_source_type_with_a_dot_is_refused" {
  command         = plan
  expect_failures = [var.source_types]
  variables {
    source_types = [".jpg"]
  }
}

run "no_source_types_are_refused" {
  command         = plan
  expect_failures = [var.source_types]
  variables {
    source_types = []
  }
}

run "an_include_of_two_lines_is_refused" {
  command         = plan
  expect_failures = [var.include]
  variables {
    include = ["a/*\nb/*"]
  }
}

run "an_empty_exclude_is_refused" {
  command         = plan
  expect_failures = [var.exclude]
  variables {
    exclude = [""]
  }
}

run "an_address_that_is_none_is_refused" {
  command         = plan
  expect_failures = [var.alert_email]
  variables {
    alert_email = "oncall"
  }
}

run "a_target_among_the_sources_is_refused" {
  command         = plan
  expect_failures = [var.more_source_buckets]
  variables {
    more_source_buckets = ["demo-thumbnails"]
  }
}

run "a_source_named_twice_is_refused" {
  command         = plan
  expect_failures = [var.more_source_buckets]
  variables {
    more_source_buckets = ["demo-photos"]
  }
}

run "a_label_in_capitals_is_refused" {
  command         = plan
  expect_failures = [var.labels]
  variables {
    labels = { Team = "media" }
  }
}

run "one_account_for_both_is_refused" {
  command         = plan
  expect_failures = [var.push_account]
  variables {
    run_account  = "one@demo-project.iam.gserviceaccount.com"
    push_account = "one@demo-project.iam.gserviceaccount.com"
  }
}

run "a_key_by_short_name_is_refused" {
  command         = plan
  expect_failures = [var.kms_key]
  variables {
    kms_key = "key"
  }
}

run "an_unknown_egress_is_refused" {
  command         = plan
  expect_failures = [var.vpc_access]
  variables {
    vpc_access = { network = "net", subnetwork = "sub", egress = "all" }
  }
}
