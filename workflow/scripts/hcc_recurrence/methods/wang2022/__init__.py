"""Wang 2022: deep and radiomics features in a Cox nomogram."""
