# Fits of any method. Needs what the method learns from, labels and a split; makes one model, one part of the predictions
# table and the method's own tables a fit, and of each table one with all fits. What is a method's own stands in METHODS.


rule fit_method:
    """All models of one fit of a method, kept, with their probabilities of the patients that the fit reports on."""
    input:
        unpack(own_of_method("inputs")),
        labels="<results>/{cohort}/labels.csv",
        split=study_split,
    output:
        model=directory("<results>/{cohort}/{paper}/models/{fit}"),
        tables=directory("<results>/{cohort}/{paper}/fits/{fit}"),
        predictions="<results>/{cohort}/{paper}/fits/{fit}.predictions.csv",
    log:
        "<logs>/{cohort}/{paper}/fit_method/{fit}.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/fit_method/{fit}.tsv"
    wildcard_constraints:
        paper="|".join(map(re.escape, METHODS)),
    group:
        "{paper}_fits"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: METHODS[wildcards.paper].get(
            "memory_mb", 4000
        )
        * 2 ** (attempt - 1),
        runtime=lambda wildcards, attempt: max(
            METHODS[wildcards.paper].get("minutes", 60) * attempt,
            reckoned_minutes("fit_method")(wildcards, attempt),
        ),
    params:
        **clinical_params(own_of_method("clinical"), method_missing_codes),
        settings=own_of_method("settings"),
        about=own_of_method("about"),
        module=lambda wildcards: declared(wildcards.paper).module,
        seed=FULL_CONFIG["seed"],
        endpoint=of_cohort("endpoint"),
        code=lambda wildcards: code("fit_method", declared(wildcards.paper).module),
    script:
        "../scripts/methods/fit_method.py"


rule gather_method:
    """One table of a method, all its fits one below the other."""
    input:
        lambda w: files_of_fits(w.paper, "")(w.cohort),
    output:
        "<results>/{cohort}/{paper}/tables/{table}.csv",
    log:
        "<logs>/{cohort}/{paper}/gather_method.{table}.log",
    benchmark:
        "<benchmarks>/{cohort}/{paper}/gather_method.{table}.tsv"
    wildcard_constraints:
        # A paper with its own tables: another one may have a rule of its own for a table of that name.
        paper="|".join(
            f"{re.escape(paper)}(?=/tables/({'|'.join(map(re.escape, declared(paper).shown))})[.]csv)"
            for paper in METHODS
            if declared(paper).shown
        ),
        table="[A-Za-z0-9_]+",
    group:
        "{paper}_results"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=reckoned_memory("gather_method"),
        runtime=minutes(10),
    params:
        code=code("gather_method"),
    script:
        "../scripts/methods/gather_method.py"
