-- What manifests and configurations say.

-- name: by_prefix
SELECT digest, document FROM content WHERE prefix = ANY(:prefixes)

-- name: by_chain
-- Some of the images with these file systems; a tie of the numbers is broken by their documents.
SELECT digest, document FROM content WHERE chain = ANY(:chains) ORDER BY prefix, digest LIMIT :limit

-- name: with_part
-- The manifests that a configuration or a layer of this beginning belongs to.
SELECT digest FROM content_part WHERE prefix = :prefix ORDER BY digest LIMIT :limit

-- name: after
-- The next contents behind one, in the order of their digests, so that all can be looked at.
SELECT prefix, digest, document FROM content
WHERE prefix > :prefix OR (prefix = :prefix AND digest > :digest)
ORDER BY prefix, digest LIMIT :limit
