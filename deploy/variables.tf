variable "project" {
  description = "Id of the project that everything is made in."
  type        = string
}

variable "region" {
  description = "Region of the service and of the buckets made here. Keep it the source bucket's own: reading from another region costs time and network charges."
  type        = string
}

variable "source_bucket" {
  description = "Bucket whose pictures get thumbnails."
  type        = string
}

variable "more_source_buckets" {
  description = "Further buckets whose pictures get thumbnails in the same target; they must exist, in this project. Pictures of one name in two of them share a thumbnail: the later event wins, with a WARNING."
  type        = list(string)
  default     = []

  validation {
    condition     = length(distinct(concat(var.more_source_buckets, [var.source_bucket]))) == length(var.more_source_buckets) + 1 && !contains(var.more_source_buckets, var.target_bucket)
    error_message = "more_source_buckets must name each bucket once, and neither source_bucket nor target_bucket: a bucket that is source and target at once is source_bucket."
  }
}

variable "target_bucket" {
  description = "Bucket that receives the thumbnails. The source bucket's own name makes one shared bucket."
  type        = string
}

variable "image" {
  description = "Container image, by digest: what runs is then what was tested, whatever happens to the tag."
  type        = string

  validation {
    condition     = can(regex("^[^@[:space:]]+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image must be named by digest, as in europe-west1-docker.pkg.dev/PROJECT/gcs-thumbnailer/gcs-thumbnailer@sha256:... (64 hexadecimal digits)."
  }
}

variable "name" {
  description = "Name of the service, and the beginning of every other name made here. Another name makes a second, independent deployment in the same project."
  type        = string
  default     = "gcs-thumbnailer"

  # An account id has at most 30 characters, and the longest suffix here is "-reconcile".
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,18}[a-z0-9]$", var.name))
    error_message = "name must be 4 to 20 lower-case letters, digits and hyphens, begin with a letter and not end with a hyphen."
  }
}

variable "create_source_bucket" {
  description = "Make the source bucket. With false it must exist, in this project."
  type        = bool
  default     = true
}

variable "create_target_bucket" {
  description = "Make the target bucket. With false it must exist. Without effect on a shared bucket, which is made, or not, as the source."
  type        = bool
  default     = true
}

variable "thumbnail_prefix" {
  description = "Beginning of every thumbnail's name. Never empty: in a shared bucket the prefix tells thumbnails from pictures. There it is also part of the subscription's filter, which can't be changed, so that another prefix replaces the subscription."
  type        = string
  default     = "thumbnails/"

  # A Pub/Sub filter has at most 256 bytes, and these characters need no escaping in it.
  validation {
    condition     = length(var.thumbnail_prefix) <= 100 && can(regex("^([A-Za-z0-9._-]+/)+$", var.thumbnail_prefix))
    error_message = "thumbnail_prefix must not be empty: give a folder such as \"thumbnails/\", of letters, digits, dots, underscores and hyphens, ending in a slash, at most 100 characters."
  }
}

variable "renditions" {
  description = "Outputs of each picture, each as NAME?PARAMETERS, for example \"thumbnails/{name}?size=128x128\"; empty for the one of thumbnail_prefix. deploy/QUESTIONS.md has the placeholders and parameters. In a shared bucket the names' literal beginnings are the subscription's filter."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.renditions) <= 16
    error_message = "There are at most 16 renditions."
  }

  validation {
    condition = alltrue([for rendition in var.renditions : can(regex(
      "^([^][:space:]?{}%]|%[0-9A-Fa-f]{2}|\\{(name|dir|stem|stem:firebase|\\.[A-Za-z]+)\\})+\\?((size|fit|format|quality|background)=[0-9A-Za-z]+)(&(fit|size|format|quality|background)=[0-9A-Za-z]+)*$", rendition
    ))])
    error_message = "A rendition is NAME?PARAMETERS: a name with {name}, {dir}, {stem}, {stem:firebase}, {.ext} or {.LETTERS}, percent-encoded where a URL's would be, and size=, fit=, format=, quality= and background= joined by &."
  }

  validation {
    condition     = alltrue([for rendition in var.renditions : can(regex("\\{name\\}|\\{dir\\}.*\\{stem(:firebase)?\\}|\\{stem(:firebase)?\\}.*\\{dir\\}", rendition))])
    error_message = "A rendition's name needs {name}, or {dir} and {stem}, lest pictures share it."
  }

  validation {
    condition     = alltrue([for rendition in var.renditions : can(regex("[?&]size=([0-9]{1,4}x[0-9]{0,4}|x[0-9]{1,4})(&|$)", rendition))])
    error_message = "A rendition needs size=WIDTHxHEIGHT, size=WIDTHx or size=xHEIGHT."
  }

  validation {
    condition     = length(var.renditions) == 0 || var.thumbnail_prefix == "thumbnails/"
    error_message = "thumbnail_prefix is short for one rendition: with renditions, write it there."
  }
}

variable "source_types" {
  description = "What counts as a picture: extensions, and content types where an entry has a slash, for example [\"jpg\", \"webp\", \"image/*\"]. Null: jpg, jpeg and png."
  type        = list(string)
  default     = null

  validation {
    condition     = try(length(var.source_types) > 0 && alltrue([for entry in var.source_types : can(regex("^([A-Za-z0-9]+|[a-z]+/([a-z0-9.+-]+|\\*))$", entry))]), var.source_types == null)
    error_message = "source_types must be null, or extensions without a dot (jpg) and content types (image/webp, image/*), at least one."
  }
}

variable "include" {
  description = "Names of which pictures are worked on, with * within a folder, ** across folders and ?, for example [\"photos/**\"]; empty for all. Where each begins with a folder, only those folders raise events. After a change run reconcile: what arrived while Terraform swapped the notifications raised none."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for pattern in var.include : can(regex("^[^\r\n]+$", pattern))])
    error_message = "An entry of include is one line, and not empty."
  }
}

variable "exclude" {
  description = "Names of pictures that are left alone, with the wildcards of include; stronger than include."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for pattern in var.exclude : can(regex("^[^\r\n]+$", pattern))])
    error_message = "An entry of exclude is one line, and not empty."
  }
}

variable "copy_metadata" {
  description = "Give each thumbnail the picture's own custom metadata."
  type        = bool
  default     = false
}

variable "cache_control" {
  description = "Cache-Control of the thumbnails, for example \"public, max-age=3600\". Empty leaves it to Cloud Storage."
  type        = string
  default     = ""
}

variable "max_source_bytes" {
  description = "Largest picture that is read, in bytes. A larger one is refused for good, by name and with a WARNING."
  type        = number
  default     = 104857600

  validation {
    condition     = var.max_source_bytes >= 1 && floor(var.max_source_bytes) == var.max_source_bytes
    error_message = "max_source_bytes must be a whole number of bytes, at least 1."
  }
}

variable "max_source_pixels" {
  description = "Largest picture that is decoded, in pixels (width times height)."
  type        = number
  default     = 250000000

  validation {
    condition     = var.max_source_pixels >= 1 && floor(var.max_source_pixels) == var.max_source_pixels
    error_message = "max_source_pixels must be a whole number of pixels, at least 1."
  }
}

variable "memory_mib" {
  description = "Memory of one instance, in MiB. About 70 % of it is the budget that pictures are admitted against: 358 MiB of 512."
  type        = number
  default     = 512

  # The second-generation execution environment takes no less than 512 MiB.
  validation {
    condition     = var.memory_mib >= 512 && floor(var.memory_mib) == var.memory_mib
    error_message = "memory_mib must be a whole number of MiB, at least 512."
  }

  validation {
    condition     = var.memory_mib * 0.7 >= var.max_source_bytes / 1048576 + 10
    error_message = "70 % of memory_mib must hold one picture of max_source_bytes and 10 MiB to work in: raise memory_mib or lower max_source_bytes."
  }
}

variable "concurrency" {
  description = <<-EOT
    Events that one instance holds at a time. An event takes the picture's bytes and about 10 MiB to work in, out of
    a budget of 358 MiB: 16 photos of 5 MiB take 16 x 15 = 240 MiB, and 16 of up to 12 MiB each still fit at once.
    Larger ones wait their turn inside the event's 50 s. The worst case, 16 pictures of 100 MiB, goes 3 at a time
    (3 x 110 = 330 MiB) in 6 rounds, which leaves 8 s for each 300 MiB: 38 MiB/s. What still doesn't fit is answered
    503 and delivered again later.
  EOT
  type        = number
  default     = 16

  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 1000 && floor(var.concurrency) == var.concurrency
    error_message = "concurrency must be a whole number from 1 to 1000."
  }
}

variable "max_instances" {
  description = "Most instances at a time, which bounds instance time: ten that never rest cost about 22 US dollars a day. What they store, log and are asked in that time can cost twenty times as much; README.md has the table."
  type        = number
  default     = 10

  validation {
    condition     = var.max_instances >= 1 && floor(var.max_instances) == var.max_instances
    error_message = "max_instances must be a whole number, at least 1."
  }
}

variable "propagate_deletes" {
  description = "Delete a thumbnail when its picture is deleted (in a versioned bucket: archived). Adds OBJECT_DELETE and OBJECT_ARCHIVE to the notification."
  type        = bool
  default     = false
}

variable "result_topic" {
  description = "Pub/Sub topic that tells your app of each stored thumbnail and each refused picture: a name, of a topic to make, or projects/PROJECT/topics/NAME, of one that exists. Empty: nobody is told."
  type        = string
  default     = ""

  validation {
    condition     = var.result_topic == "" || can(regex("^(projects/[a-z0-9.:-]+/topics/)?[A-Za-z][A-Za-z0-9._~-]{2,254}$", var.result_topic))
    error_message = "result_topic must be empty, a topic's name (a letter, then at least two letters, digits, dots, underscores, tildes or hyphens), or projects/PROJECT/topics/NAME."
  }

  validation {
    condition     = !contains([var.name, "${var.name}-dead-letter"], reverse(split("/", var.result_topic))[0])
    error_message = "result_topic must be another topic than the service's own events and dead letters: the service would read its own results."
  }
}

variable "reconcile_schedule" {
  description = "When to look for pictures without a current thumbnail and have them made, as five cron fields in UTC, for example \"0 3 * * *\". Empty: only when somebody starts the job, which is made in any case."
  type        = string
  default     = ""

  validation {
    condition     = var.reconcile_schedule == "" || can(regex("^[^[:space:]]+( [^[:space:]]+){4}$", var.reconcile_schedule))
    error_message = "reconcile_schedule must be empty or five cron fields, such as \"0 3 * * *\"."
  }
}

variable "notification_channels" {
  description = "Ids of the Cloud Monitoring channels that alerts go to (projects/PROJECT/notificationChannels/NUMBER). Without any, the alerts show in the console only."
  type        = list(string)
  default     = []
}

variable "alert_email" {
  description = "E-mail address that alerts go to, beside notification_channels. Empty: none."
  type        = string
  default     = ""

  validation {
    condition     = var.alert_email == "" || can(regex("^[^@[:space:]]+@[^@[:space:]]+$", var.alert_email))
    error_message = "alert_email must be empty or one address."
  }
}

variable "labels" {
  description = "Labels of everything made here that takes them."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", key)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "A label's key begins with a lower-case letter, and key and value have at most 63 lower-case letters, digits, underscores and hyphens."
  }
}

variable "run_account" {
  description = "E-mail address of a service account to run as, in place of one made here. It gets its two roles on the buckets all the same."
  type        = string
  default     = null
}

variable "push_account" {
  description = "E-mail address of a service account for Pub/Sub to call the service as, in place of one made here. Never the one of run_account: who may call isn't who may write."
  type        = string
  default     = null

  validation {
    condition     = var.push_account == null || var.push_account != var.run_account
    error_message = "push_account and run_account must be two accounts."
  }
}

variable "kms_key" {
  description = "Cloud KMS key for the topics, the service and the job, projects/PROJECT/locations/REGION/keyRings/RING/cryptoKeys/KEY. deploy/README.md says who must be allowed to use it."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "kms_key must be a key's full name, without a version."
  }
}

variable "allowed_persistence_regions" {
  description = "Regions in which Pub/Sub may store messages. Null leaves it to the organization's policy."
  type        = list(string)
  default     = null
}

variable "binary_authorization" {
  description = "Policy that images must meet: \"default\" for the project's, or projects/PROJECT/platforms/cloudRun/policies/POLICY."
  type        = string
  default     = null
}

variable "vpc_access" {
  description = "Network for the service's and the job's own connections (direct VPC egress). The subnetwork needs Private Google Access, and egress is ALL_TRAFFIC or PRIVATE_RANGES_ONLY."
  type = object({
    network    = string
    subnetwork = string
    egress     = optional(string, "ALL_TRAFFIC")
  })
  default = null

  validation {
    condition     = var.vpc_access == null || contains(["ALL_TRAFFIC", "PRIVATE_RANGES_ONLY"], try(var.vpc_access.egress, ""))
    error_message = "vpc_access.egress must be ALL_TRAFFIC or PRIVATE_RANGES_ONLY."
  }
}
