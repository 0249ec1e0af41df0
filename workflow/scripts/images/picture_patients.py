"""Three planes of each phase of some patients with the outlines of their masks, and a small axial picture of each."""

import shutil
from pathlib import Path

from hcc_recurrence.job import job_log

with job_log(snakemake.log[0], f"cohort {snakemake.wildcards.cohort}, batch {snakemake.wildcards.batch}"):
    import SimpleITK as sitk

    from hcc_recurrence.figures.marks import SIMULATED
    from hcc_recurrence.figures.quality import encoded, three_planes, thumbnail

    params, folder = snakemake.params, Path(snakemake.output[0])
    note = SIMULATED if params.simulated else ""
    folder.mkdir(parents=True)
    for images, masks in zip(snakemake.input.images, snakemake.input.masks, strict=True):
        patient = Path(images).name
        for file in sorted(Path(images).glob("*.nii.gz")):
            phase = file.name.split(".")[0]
            readers = [f.name.split(".")[1] for f in sorted(Path(masks).glob(f"{phase}.*.nii.gz"))]
            # The reader whose masks the models use comes first.
            readers.sort(key=lambda reader: reader != params.reader)
            read = {r: sitk.ReadImage(str(Path(masks) / f"{phase}.{r}.nii.gz")) for r in readers}
            image = sitk.ReadImage(str(file))
            whole = three_planes(image, read, params.modality)
            (folder / f"{patient}.{phase}.jpg").write_bytes(encoded(whole, note))
            small = thumbnail(image, read, params.modality)
            (folder / f"{patient}.{phase}.small.jpg").write_bytes(encoded(small, "Simulated" if note else ""))
        for name in ("carried", "lesions"):
            if Path(masks, f"{name}.csv").is_file():
                shutil.copyfile(Path(masks, f"{name}.csv"), folder / f"{patient}.{name}.csv")
        print(f"{patient}: pictures of {len(list(folder.glob(f'{patient}.*.small.jpg')))} phases")
