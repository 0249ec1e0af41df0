"""Heat maps of all patients by the networks of an exported model."""

import json
from pathlib import Path

from hcc_recurrence.job import job_log

wildcards, params = snakemake.wildcards, snakemake.params
with job_log(snakemake.log[0], f"{wildcards.bundle} on {wildcards.cohort}"):
    import torch

    from hcc_recurrence.endpoint import use_endpoint
    from hcc_recurrence.exported.bundle import read_bundle
    from hcc_recurrence.exported.heat_maps import caption, draw, heat_maps_of
    from hcc_recurrence.networks.examples import load_images

    torch.set_num_threads(snakemake.threads)
    bundle, folder = read_bundle(Path(params.folder), Path(params.folder)), Path(snakemake.output[0])
    use_endpoint(bundle.about["endpoint"]["words"])
    parts, stacks = bundle.parts(), dict(zip(params.images, snakemake.input.images, strict=True))
    phases = {image["name"]: params.phases[: image["shape"][0]] for image in bundle.about["reads"]["images"]}
    # Once: a patient's crops cannot be read without those of the others.
    read = {name: load_images(file, phases[name], params.patients) for name, file in stacks.items()}
    for place, patient in enumerate(params.patients):
        found = heat_maps_of(bundle, parts, {name: images[place] for name, (images, _) in read.items()})
        own = folder / patient
        own.mkdir(parents=True)
        about = []
        for number, one in enumerate(found):
            images, masks = read[one.image]
            (own / f"{number}.png").write_bytes(draw(one, images[place], masks[place], params.simulated))
            about.append({"model": one.model, "file": f"{number}.png", "words": caption(one)})
        (own / "heat_maps.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    print(f"{len(params.patients)} patients")
