# A rule a step that one method alone has, and a target a method. What each reads and makes the method's file says in
# OWN_STEPS (own_steps_common.smk).

for step in [
    own_step(p, name, said)
    for p in PAPERS
    for name, said in OWN_STEPS.get(p, {}).items()
]:

    rule:
        name:
            step.name
        input:
            *step.unnamed,
            **step.named,
        output:
            **step.output,
        log:
            f"<logs>/{step.logs}.log",
        benchmark:
            f"<benchmarks>/{step.logs}.tsv"
        wildcard_constraints:
            **step.only,
        group:
            step.group
        conda:
            "../../envs/environment.yaml"
        threads: 1
        resources:
            **step.resources,
        params:
            **step.params,
        script:
            "../scripts/methods/{params.script}.py"

    describe_rule(
        workflow, step.name, step.says, f"../scripts/methods/{step.script}.py"
    )


for paper in PAPERS:

    rule:
        name:
            paper
        input:
            paper_targets(paper),
