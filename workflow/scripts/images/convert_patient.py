"""Convert a patient's DICOM series and the masks drawn on them to NIfTI."""

from pathlib import Path

from hcc_recurrence.job import job_log

patient, params = snakemake.wildcards.patient, snakemake.params
with job_log(snakemake.log[0], f"patient {patient}"):
    import pandas as pd

    from hcc_recurrence.cohort.acquisition import COLUMNS, acquisition_facts
    from hcc_recurrence.cohort.mask_files import check_in_body, read_mask
    from hcc_recurrence.cohort.series_voxels import find_series, image_of_stack
    from hcc_recurrence.files import write_csv
    from hcc_recurrence.imaging.nifti import write_image

    simulated = snakemake.input.get("simulated")
    root = Path(simulated).parent if simulated else Path(params.root)
    images, masks = Path(snakemake.output.images), Path(snakemake.output.masks)
    images.mkdir(parents=True)
    masks.mkdir(parents=True)
    native, acquired = {}, []
    interpolate, modality = params.reading["interpolate"], params.reading["modality"]
    for phase, (path, series_uid, part) in params.series.items():
        print(f"{phase}: series")
        stack = find_series(root / path, series_uid, part, interpolate, params.files[phase])
        native[phase] = image_of_stack(stack, modality)
        write_image(native[phase], images / f"{phase}.nii.gz")
        acquired.append({"phase": phase, **acquisition_facts(stack)})
    write_csv(pd.DataFrame(acquired, columns=list(COLUMNS)), images / "acquisition.csv")
    placed, lesions = {}, []
    for name, (path, label) in params.masks.items():
        print(f"{name}: mask")
        mask = read_mask(root / path, label, native[name.split(".")[0]], **params.masking)
        check_in_body(mask.image, native[name.split(".")[0]], modality, f"mask {name} ({path})")
        print(f"{name}: {mask.lesions} separate lesions in the file, {mask.volume_ml:.2f} ml kept")
        placed[name] = mask.image
        lesions.append((*name.split("."), mask.lesions, round(mask.volume_ml, 3)))
    write_csv(pd.DataFrame(lesions, columns=["phase", "reader", "lesions", "volume_ml"]), masks / "lesions.csv")
    if params.carrying:
        from hcc_recurrence.imaging.carrying import carry_masks

        carried = carry_masks(native, placed, modality=modality, **params.carrying)
        write_csv(carried, masks / "carried.csv")
        print(carried.to_string() if len(carried) else "no mask had to be propagated")
    for name, mask in placed.items():
        write_image(mask, masks / f"{name}.nii.gz")
