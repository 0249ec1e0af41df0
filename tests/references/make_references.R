# Reference values of tests/unit/test_against_r.py.
suppressMessages({library(pROC); library(rms); library(survival)})
d <- read.csv("patients.csv")
values <- list()
add <- function(name, value) values[[length(values) + 1]] <<- data.frame(name = name, value = as.numeric(value))

a <- roc(d$y, d$first, direction = "<", quiet = TRUE); b <- roc(d$y, d$second, direction = "<", quiet = TRUE)
ci <- ci.auc(a, method = "delong")
add("auc", ci[2]); add("auc_low", ci[1]); add("auc_high", ci[3])
test <- roc.test(a, b, method = "delong", paired = TRUE)
add("paired_z", test$statistic); add("paired_p", test$p.value)
half <- d[1:80, ]; other <- d[81:160, ]
u <- roc.test(roc(half$y, half$first, direction = "<", quiet = TRUE), roc(other$y, other$first, direction = "<", quiet = TRUE),
              method = "delong", paired = FALSE)
# pROC's unpaired test uses Welch's degrees of freedom; z = statistic is the same as ours.
add("unpaired_z", u$statistic)

v <- val.prob(d$first, d$y, pl = FALSE)
add("calibration_intercept", coef(glm(d$y ~ offset(qlogis(d$first)), family = binomial))[1])
add("calibration_slope", v["Slope"]); add("brier", v["Brier"])

g <- glm(y ~ size + afp + ast, data = d, family = binomial)
s <- summary(g)$coefficients; w <- confint.default(g)
for (x in c("size", "afp", "ast")) {
  add(paste0("logistic_", x), s[x, 1]); add(paste0("logistic_p_", x), s[x, 4])
  add(paste0("logistic_low_", x), exp(w[x, 1])); add(paste0("logistic_high_", x), exp(w[x, 2]))
}
vf <- sapply(c("size", "afp", "ast", "age"), function(x)
  1 / (1 - summary(lm(reformulate(setdiff(c("size", "afp", "ast", "age"), x), x), data = d))$r.squared))
for (x in names(vf)) add(paste0("vif_", x), vf[x])
one <- add1(glm(y ~ 1, data = d, family = binomial), ~ size + afp + ast + age + noise, test = "LRT")
for (x in rownames(one)[-1]) add(paste0("entry_p_", x), one[x, "Pr(>Chi)"])

# Hosmer-Lemeshow, groups by quantiles with tied values together.
p <- fitted(g)
cutpoints <- unique(quantile(p, 0:10 / 10)); h <- cut(p, cutpoints, include.lowest = TRUE)
o <- tapply(d$y, h, sum); e <- tapply(p, h, sum); m <- tapply(p, h, length)
chi <- sum((o - e)^2 / (e * (1 - e / m)))
add("hl_chi_square", chi); add("hl_p", pchisq(chi, length(o) - 2, lower.tail = FALSE))

f <- coxph(Surv(time, event) ~ size + afp + ast, data = d); s <- summary(f)
for (x in c("size", "afp", "ast")) {
  add(paste0("cox_", x), s$coefficients[x, "coef"]); add(paste0("cox_se_", x), s$coefficients[x, "se(coef)"])
}
zph <- cox.zph(f, transform = "rank", terms = FALSE, global = FALSE)$table
for (x in c("size", "afp", "ast")) add(paste0("ph_p_", x), zph[x, "p"])
stepped <- step(coxph(Surv(time, event) ~ size + afp + ast + age + noise, data = d), trace = 0)
add("step_aic", AIC(stepped)); for (x in c("size", "afp", "ast", "age", "noise")) add(paste0("step_keeps_", x), x %in% names(coef(stepped)))
add("harrell_c", concordance(Surv(time, event) ~ first, data = d, reverse = TRUE)$concordance)
group <- d$first >= 0.5
k <- summary(survfit(Surv(time, event) ~ 1, data = d[group, ], conf.type = "log-log"), times = 24)
add("km_24", k$surv); add("km_24_low", k$lower); add("km_24_high", k$upper)
l <- survdiff(Surv(time, event) ~ group, data = d); add("log_rank_p", pchisq(l$chisq, 1, lower.tail = FALSE))

# Harrell's optimism of the logistic model (random: compared loosely).
set.seed(1); lr <- lrm(y ~ size + afp + ast, data = d, x = TRUE, y = TRUE)
val <- validate(lr, B = 2000)
add("optimism_auc", val["Dxy", "optimism"] / 2); add("optimism_slope", val["Slope", "optimism"]); add("optimism_brier", val["B", "optimism"])
write.csv(do.call(rbind, values), "r_values.csv", row.names = FALSE)
