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
