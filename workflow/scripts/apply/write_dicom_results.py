"""The result of applied models on one patient as DICOM: the segmentation that was used, a structured report, a PDF."""

from pathlib import Path

from hcc_recurrence.job import job_log

patient, params, inputs = snakemake.wildcards.patient, snakemake.params, snakemake.input
with job_log(snakemake.log[0], f"patient {patient}"):
    import SimpleITK as sitk

    from hcc_recurrence.cohort.series_voxels import find_series
    from hcc_recurrence.exported.dicom_out import (
        encapsulated_pdf,
        segmentation,
        source_headers,
        structured_report,
    )
    from hcc_recurrence.exported.pages import patient_page, read_applied
    from hcc_recurrence.exported.patients import mask_file
    from hcc_recurrence.exported.pdf_pages import pdf_page
    from hcc_recurrence.figures.quality import three_planes
    from hcc_recurrence.version import commit_and_changes

    folder = Path(snakemake.output[0])
    folder.mkdir(parents=True)
    simulated = inputs.get("simulated")
    root = Path(simulated).parent if simulated else Path(params.root)
    models = [read_applied(*files) for files in zip(params.folders, inputs.predictions, inputs.outside, strict=True)]
    version = commit_and_changes()[0][:12] or "unknown"
    segmentations, sources, volumes, pictures = {}, [], {}, {}
    drawn = [Path(inputs.masks), *([Path(inputs.predicted, patient)] if inputs.get("predicted") else [])]
    for phase in [phase for phase in params.phases if phase in params.series]:
        reader = params.readers.get(phase, "")
        file = mask_file(drawn, phase, reader)
        image = sitk.ReadImage(str(Path(inputs.images, f"{phase}.nii.gz")))
        mask = sitk.ReadImage(str(file)) if file else None
        pictures[phase] = three_planes(image, {reader: mask} if mask else {}, params.modality)
        path, series_uid, part = params.series[phase]
        stack = find_series(root / path, series_uid, part, params.interpolate, params.files[phase])
        if stack.image:
            print(f"{phase}: the images are no DICOM: there is no segmentation that could belong to them")
            continue
        headers = source_headers(list(dict.fromkeys(one.file for one in stack.slices)), patient)
        if mask is None:
            print(f"{phase}: no outline")
        elif sources and headers[0].StudyInstanceUID != sources[0].StudyInstanceUID:
            print(f"{phase}: of another study than the phases before it: not in the report, which belongs to one study")
        else:
            seg = segmentation(mask, headers, phase, reader, version)
            seg.save_as(folder / f"segmentation.{phase}.dcm")
            segmentations[phase] = seg
            voxel = float(mask.GetSpacing()[0] * mask.GetSpacing()[1] * mask.GetSpacing()[2])
            volumes[phase] = float((sitk.GetArrayViewFromImage(mask) > 0).sum() * voxel / 1000)
            sources += headers
    page = patient_page(patient, params.title, models, simulated=params.simulated)
    pdf = pdf_page(page, pictures)
    (folder / "result.pdf").write_bytes(pdf)
    if segmentations:
        report = structured_report(patient, models, segmentations, sources, volumes, version)
        report.save_as(folder / "report.dcm")
        stored = encapsulated_pdf(pdf, sources[0], patient, params.title)
        stored.save_as(folder / "result_pdf.dcm", enforce_file_format=True)
    print(f"{patient}: {len(segmentations)} segmentations")
